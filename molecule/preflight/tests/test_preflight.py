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


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"preflight_functions": {"edge": [], "was": ["a"], "dns": ["b"], "database": ["c"]}},
            "nothing lets customers",
        ),
        ({"preflight_host_sites": {"a": "colo", "b": "colo", "c": "cloud"}}, "Spread them over three sites."),
        ({"preflight_database_external": True}, "database_external_servers is empty"),
        ({"preflight_secrets": {"vault_x": "CHANGE-ME"}}, "vault_x is still CHANGE-ME"),
    ],
)
def test_a_service_that_cannot_work_is_refused_before_a_host_is_asked(
    playbooks: Playbooks, changes: dict[str, Any], sentence: str
) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars", json.dumps(changes))

    assert code != 0
    assert sentence in said
    assert "unreachable=0" in said


def test_the_value_of_a_secret_is_not_in_what_is_said(playbooks: Playbooks) -> None:
    _, said = playbooks.run(
        CONVERGE, "-vvv", "--extra-vars", json.dumps({"preflight_secrets": {"vault_x": "hush1234"}})
    )

    assert "vault_x has 8 characters" in said
    assert "hush1234" not in said.replace('{"preflight_secrets": {"vault_x": "hush1234"}}', "").split("PLAY [", 1)[1]
