"""What an operator reads when a network cannot work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from molecule.conftest import Playbooks

CONVERGE = "molecule/preflight/converge.yml"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"preflight_tunnel_network": "10.20.2.0/23"}, "overlaps the tunnel network (10.20.2.0/23); renumber one"),
        ({"preflight_tunnel_network": "10.20.250.1/24"}, "with host bits set; write 10.20.250.0/24."),
        ({"preflight_tunnel_network": "2001:db8::/64"}, "write both in the same version."),
        ({"preflight_ssh_networks": ["192.0.2.0/24"]}, "would lock Ansible out; add it to base_ssh_networks."),
        ({"preflight_tunnel_port": 70000}, "the tunnel's port is '70000'; choose one from 1 to 65535"),
    ],
)
def test_a_network_that_cannot_work_is_refused_before_a_host_is_asked(
    playbooks: Playbooks, changes: dict[str, Any], sentence: str
) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars", json.dumps(changes))

    assert code != 0
    assert sentence in said
    assert "unreachable=0" in said
