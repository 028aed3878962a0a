"""What the role made, seen from the cloud's API and from inside the servers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openstack
import pytest

if TYPE_CHECKING:
    from molecule.conftest import Playbooks

KNOWN_HOSTS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "known_hosts"
KEY = "/var/lib/understudy/lab/operator/id_ed25519"
BEYOND = "10.210.251.7"  # an address of the network that the gateway forwards for


@pytest.fixture(scope="module")
def cloud() -> Any:
    return openstack.connect(cloud="lab")


def address(cloud: Any, name: str, network: str) -> str:
    server = cloud.compute.get_server(cloud.compute.find_server(name, ignore_missing=False))
    return str(server.addresses[network][0]["addr"])


def inside(cloud: Any, name: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a server, accepting no host key but the recorded one."""
    ssh = [
        "ssh",
        "-F",
        "none",
        "-i",
        KEY,
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        f"UserKnownHostsFile={KNOWN_HOSTS}",
    ]
    target = f"ansible@{address(cloud, name, 'management')}"
    return subprocess.run([*ssh, target, command], capture_output=True, text=True, timeout=30, check=False)


def test_servers_are_active_with_their_functions(cloud: Any) -> None:
    servers = {server.name: server for server in cloud.compute.servers() if server.name.startswith("molecule-")}
    assert {name: server.status for name, server in servers.items()} == {
        "molecule-gw": "ACTIVE",
        "molecule-was": "ACTIVE",
    }
    assert servers["molecule-gw"].metadata == {"understudy_function": "gateway,edge"}
    assert servers["molecule-was"].metadata == {"understudy_function": "was", "burst": "true"}


def test_the_first_ssh_connection_is_a_verified_one(cloud: Any) -> None:
    for name in ("molecule-gw", "molecule-was"):
        done = inside(cloud, name, "hostname")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().split(".")[0] == name


def test_servers_got_the_routes_of_their_network(cloud: Any) -> None:
    assert "via 10.210.252.2" in inside(cloud, "molecule-was", f"ip route get {BEYOND}").stdout


def test_the_gateway_may_send_for_the_network_behind_it_and_others_may_not(cloud: Any) -> None:
    was = address(cloud, "molecule-was", "molecule-lan")
    for name, may in (("molecule-gw", True), ("molecule-was", False)):
        peer = was if name == "molecule-gw" else "10.210.252.2"
        device = inside(cloud, name, f"ip -o route get {peer}").stdout.split(" dev ")[1].split()[0]
        inside(cloud, name, f"sudo ip address add {BEYOND}/32 dev {device}")
        receiver = "molecule-was" if name == "molecule-gw" else "molecule-gw"
        back = inside(cloud, receiver, f"sudo ip route replace {BEYOND}/32 via {'10.210.252.2' if may else was}")
        assert back.returncode == 0, back.stderr
        done = inside(cloud, name, f"ping -q -c 2 -W 1 -I {BEYOND} {peer}")
        inside(cloud, name, f"sudo ip address del {BEYOND}/32 dev {device}")
        assert (done.returncode == 0) is may, f"{name}: {done.stdout}{done.stderr}"


def test_a_port_that_no_rule_names_is_closed(cloud: Any) -> None:
    command = "sudo systemd-run --collect --quiet --unit=probe /usr/bin/python3 -m http.server 8000"
    assert inside(cloud, "molecule-was", command).returncode == 0
    target = address(cloud, "molecule-was", "management")
    done = subprocess.run(["timeout", "3", "bash", "-c", f"</dev/tcp/{target}/8000"], capture_output=True, check=False)
    inside(cloud, "molecule-was", "sudo systemctl stop probe")
    assert done.returncode != 0


def test_functions_that_changed_are_written_in_one_run(cloud: Any, playbooks: Playbooks) -> None:
    server = cloud.compute.find_server("molecule-was", ignore_missing=False)
    cloud.compute.set_server_metadata(server, understudy_function="ops")

    code, said = playbooks.run("molecule/cloud/converge.yml")

    assert code == 0, said
    assert cloud.compute.get_server(server).metadata == {"understudy_function": "was", "burst": "true"}
