"""What a user of the sites can observe of the tunnel between them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testinfra.host import Host

    from molecule.conftest import Playbooks

CONVERGE = "molecule/vpn/converge.yml"
COLO_LAN_HOST, CLOUD_LAN_HOST = "10.210.11.10", "10.210.12.10"
ENDS = {"mol-vpn-colo": ("10.210.250.2", CLOUD_LAN_HOST), "mol-vpn-cloud": ("10.210.250.1", COLO_LAN_HOST)}


def gateway(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


@pytest.fixture(scope="module")
def colo() -> Host:
    return gateway("mol-vpn-colo")


@pytest.fixture(scope="module")
def cloud() -> Host:
    return gateway("mol-vpn-cloud")


@pytest.fixture(scope="class")
def fenced(playbooks: Playbooks, colo: Host) -> Iterator[tuple[int, str]]:
    yield playbooks.run("playbooks/fence_vpn.yml", "--limit", "mol-vpn-colo", "-e", "vpn_fence_reason='a drill'")
    if colo.file("/etc/understudy/fenced").exists:
        playbooks.run("playbooks/unfence_vpn.yml", "--limit", "mol-vpn-colo")


def lan_reaches(host: Host, address: str) -> bool:
    return bool(host.run(f"ip netns exec lanhost ping -n -c 2 -i 0.2 -W 1 {address}").succeeded)


@pytest.mark.parametrize("name", ENDS)
def test_a_host_on_one_lan_reaches_the_lan_of_the_other_site(name: str) -> None:
    assert lan_reaches(gateway(name), ENDS[name][1])


@pytest.mark.parametrize("name", ENDS)
def test_the_largest_packet_of_the_tunnel_passes_and_a_larger_one_is_refused(name: str) -> None:
    host, (far_gateway, _) = gateway(name), ENDS[name]
    assert host.run(f"ping -n -c 1 -W 1 -M do -s 1392 {far_gateway}").succeeded
    assert host.run(f"ping -n -c 1 -W 1 -M do -s 1393 {far_gateway}").failed


@pytest.mark.parametrize("name", ENDS)
def test_the_private_key_is_for_root_only_and_in_no_other_file(name: str) -> None:
    host = gateway(name)
    key = host.file("/etc/wireguard/wg0.key")
    assert (key.user, key.group, key.mode) == ("root", "root", 0o600)
    secret = key.content_string.strip()
    found = host.run(f"grep --recursive --files-with-matches --fixed-strings {secret} /etc /var /root /home")
    assert found.stdout.split() == ["/etc/wireguard/wg0.key"]


@pytest.mark.parametrize("name", ENDS)
def test_the_tunnel_comes_up_at_boot(name: str) -> None:
    assert gateway(name).service("wg-quick@wg0").is_enabled


def test_a_branch_office_reaches_both_sites(colo: Host) -> None:
    key, theatre = colo.check_output("wg show wg0 public-key"), "ip netns exec theatre"
    colo.check_output(f"{theatre} wg set wg7 peer {key} endpoint 192.168.77.1:51820 allowed-ips 10.210.0.0/16")
    for address in (COLO_LAN_HOST, CLOUD_LAN_HOST):
        assert colo.run(f"{theatre} ping -n -c 2 -i 0.2 -W 1 -I 10.210.17.1 {address}").succeeded


def test_one_command_repairs_what_was_changed_by_hand_without_a_restart(colo: Host) -> None:
    process = colo.check_output("pgrep --exact wireguard-go --newest")
    colo.check_output("wg set wg0 listen-port 4444 peer $(wg show wg0 peers | head -1) remove")
    colo.check_output("ip route delete 10.210.12.0/24 dev wg0")
    colo.check_output("ip link set wg0 mtu 1300")

    assert colo.check_output("understudy-vpn sync wg0") == "changed"

    assert lan_reaches(colo, CLOUD_LAN_HOST)
    assert colo.check_output("understudy-vpn sync wg0") == "unchanged"
    assert colo.interface("wg0").exists
    assert colo.check_output("pgrep --exact wireguard-go --newest") == process


def test_a_killed_tunnel_is_brought_back(playbooks: Playbooks, cloud: Host) -> None:
    cloud.check_output("pkill --exact wireguard-go")

    code, said = playbooks.run(CONVERGE, "--limit", "mol-vpn-cloud")

    assert code == 0, said
    assert lan_reaches(cloud, COLO_LAN_HOST)


def test_a_gateway_that_knows_no_key_of_its_peer_is_told_what_to_do(playbooks: Playbooks, colo: Host) -> None:
    colo.check_output("mv /etc/ansible/facts.d/understudy_vpn.fact /root/")
    code, said = playbooks.run(CONVERGE, "--limit", "mol-vpn-colo")
    colo.check_output("mv /root/understudy_vpn.fact /etc/ansible/facts.d/")

    assert code != 0
    assert "does not know the public key of mol-vpn-cloud" in said
    assert lan_reaches(colo, CLOUD_LAN_HOST)


def test_fencing_every_gateway_by_accident_is_refused(playbooks: Playbooks, colo: Host) -> None:
    code, said = playbooks.run("playbooks/fence_vpn.yml", "-e", "vpn_fence_reason=oops")

    assert code != 0
    assert "say which with --limit" in said
    assert colo.interface("wg0").exists


@pytest.mark.usefixtures("fenced")
class TestFenced:
    def test_nothing_passes(self, fenced: tuple[int, str], colo: Host, cloud: Host) -> None:
        assert fenced[0] == 0, fenced[1]
        assert not colo.interface("wg0").exists
        assert not lan_reaches(cloud, COLO_LAN_HOST)

    def test_the_host_says_since_when_and_why(self, colo: Host) -> None:
        marker = colo.file("/etc/understudy/fenced")
        assert marker.mode == 0o644
        assert "reason: a drill" in marker.content_string
        assert "since: 20" in marker.content_string

    def test_it_stays_closed_at_boot_and_for_whoever_asks(self, colo: Host) -> None:
        assert not colo.service("wg-quick@wg0").is_enabled
        assert colo.run("systemctl start wg-quick@wg0").failed
        assert not colo.interface("wg0").exists

    def test_fencing_again_changes_nothing_and_keeps_the_first_reason(self, playbooks: Playbooks, colo: Host) -> None:
        _, said = playbooks.run("playbooks/fence_vpn.yml", "--limit", "mol-vpn-colo", "-e", "vpn_fence_reason=later")
        assert "changed=0" in said
        assert "reason: a drill" in colo.file("/etc/understudy/fenced").content_string

    def test_converging_leaves_it_closed_and_says_so(self, playbooks: Playbooks, colo: Host) -> None:
        code, said = playbooks.run(CONVERGE, "--limit", "mol-vpn-colo")
        assert code == 0, said
        assert "its tunnel is configured but stays closed" in said
        assert not colo.interface("wg0").exists

    def test_keys_are_not_rotated(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run("playbooks/rotate_vpn_keys.yml")
        assert code != 0
        assert "is fenced, so its key cannot be rotated" in said

    def test_lifting_the_fence_opens_it_again(self, playbooks: Playbooks, colo: Host) -> None:
        code, said = playbooks.run("playbooks/unfence_vpn.yml", "--limit", "mol-vpn-colo")
        assert code == 0, said
        assert lan_reaches(colo, CLOUD_LAN_HOST)
        assert colo.service("wg-quick@wg0").is_enabled
