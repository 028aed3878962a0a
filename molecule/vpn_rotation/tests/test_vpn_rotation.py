"""What traffic through the tunnel notices of new keys, and what an interruption leaves behind."""

from __future__ import annotations

import os
import re
import statistics
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import testinfra

if TYPE_CHECKING:
    from testinfra.host import Host

    from molecule.conftest import Playbooks

CONVERGE, ROTATE = "molecule/vpn/converge.yml", "playbooks/rotate_vpn_keys.yml"
CLOUD_LAN_HOST = "10.210.12.10"
ROUNDS = 3
MAY_BE_LOST_SECONDS = 2.0
PING_SECONDS = 0.05
PINGS = "/root/pings"


def gateway(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


@dataclass(frozen=True)
class Round:
    """One rotation: its exit code, what it said, the longest silence and the keys before and after."""

    code: int
    said: str
    lost_seconds: float
    before: list[str]
    after: list[str]


@pytest.fixture(scope="module")
def ends() -> tuple[Host, Host]:
    return gateway("mol-rotation-colo"), gateway("mol-rotation-cloud")


def keys(ends: tuple[Host, Host]) -> list[str]:
    return [end.check_output("wg show wg0 public-key") for end in ends]


def lan_reaches(host: Host) -> bool:
    return bool(host.run(f"ip netns exec lanhost ping -n -c 2 -i 0.2 -W 1 {CLOUD_LAN_HOST}").succeeded)


class Pings:
    """Count what a host on the colo's LAN hears from one on the cloud's."""

    def __init__(self, colo: Host) -> None:
        self.colo = colo

    def start(self) -> None:
        self.colo.check_output(
            f"systemd-run --collect --unit=mol-ping --property=StandardOutput=truncate:{PINGS} "
            f"ip netns exec lanhost ping -n -D -i {PING_SECONDS} {CLOUD_LAN_HOST}"
        )

    def stop(self) -> float:
        """Return the longest silence, in seconds, beyond the time between two pings."""
        self.colo.check_output("systemctl stop mol-ping")
        heard = re.findall(r"(?m)^\[([\d.]+)\] .* bytes from", self.colo.file(PINGS).content_string)
        assert len(heard) > 50
        return max(float(later) - float(earlier) for earlier, later in pairwise(heard)) - PING_SECONDS


@pytest.fixture(scope="module")
def rounds(playbooks: Playbooks, ends: tuple[Host, Host]) -> list[Round]:
    pings, done = Pings(ends[0]), []
    for _ in range(ROUNDS):
        before = keys(ends)
        pings.start()
        code, said = playbooks.run(ROTATE)
        done.append(Round(code, said, pings.stop(), before, keys(ends)))
    return done


def test_new_keys_cost_no_more_than_two_seconds_of_traffic(
    rounds: list[Round], capsys: pytest.CaptureFixture[str]
) -> None:
    lost = [each.lost_seconds for each in rounds]

    with capsys.disabled():
        figures = f"median {statistics.median(lost):.2f} s, maximum {max(lost):.2f} s of {ROUNDS} rounds"
        sys.stdout.write(f"\nlongest silence while keys were rotated: {figures}\n")
    assert max(lost) <= MAY_BE_LOST_SECONDS


def test_every_rotation_changes_both_keys(rounds: list[Round]) -> None:
    assert all(each.code == 0 for each in rounds), rounds[-1].said
    assert not any({*each.before} & {*each.after} for each in rounds)


@pytest.mark.usefixtures("rounds")
def test_old_keys_are_gone_from_both_ends(ends: tuple[Host, Host]) -> None:
    colo, cloud = keys(ends)
    assert cloud in ends[0].check_output("wg show wg0 peers")
    assert ends[1].check_output("wg show wg0 peers") == colo
    for end in ends:
        assert not end.file("/etc/wireguard/wg0.key.next").exists
        assert end.check_output("understudy-vpn sync wg0") == "unchanged"


def test_branches_that_must_be_told_are_named_with_the_key(rounds: list[Round]) -> None:
    assert f"has a new public key, {rounds[-1].after[0]}." in rounds[-1].said
    assert "cut off until they use it: theatre-17" in rounds[-1].said


def test_a_peer_that_does_not_follow_lets_the_old_key_return(ends: tuple[Host, Host]) -> None:
    before = keys(ends)
    ends[1].check_output("understudy-vpn make-key /etc/wireguard/wg0.key.next")

    said = ends[1].run("understudy-vpn switch-key --deadline 1 wg0 10.210.250.1")

    assert said.failed
    assert "10.210.250.1 did not answer within 1 s of the new key" in said.stderr
    assert keys(ends) == before
    assert lan_reaches(ends[0])


@pytest.mark.parametrize(
    "task",
    [
        "vpn : Switch to the next key",
        "vpn : Stop watching for the new key",
    ],
)
def test_an_interrupted_rotation_is_brought_to_its_end_by_running_again(
    playbooks: Playbooks, ends: tuple[Host, Host], task: str
) -> None:
    playbooks.kill_at(task, ROTATE)

    code, said = playbooks.run(CONVERGE)

    assert code == 0, said
    assert lan_reaches(ends[0])
    colo, cloud = keys(ends)
    assert cloud in ends[0].check_output("wg show wg0 peers").split()
    assert ends[1].check_output("wg show wg0 peers").split() == [colo]


def test_a_gateway_that_is_not_in_the_run_stops_it_before_a_key_changes(
    playbooks: Playbooks, ends: tuple[Host, Host]
) -> None:
    before = keys(ends)

    code, said = playbooks.run(ROTATE, "--limit", "mol-rotation-colo")

    assert code != 0
    assert "Rotate all gateways in one run, without --limit" in said
    assert keys(ends) == before
    assert lan_reaches(ends[0])
