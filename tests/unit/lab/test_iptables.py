from __future__ import annotations

from lab import iptables

UNUSED = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:CNI-ADMIN - [0:0]
:CNI-FORWARD - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
COMMIT
""".splitlines()


def test_podmans_chains_are_removed_with_the_jumps_into_them_and_nobody_elses() -> None:
    assert iptables.forgetting(UNUSED) == [
        ["-D", "FORWARD", "-m", "comment", "--comment", "CNI firewall plugin rules", "-j", "CNI-FORWARD"],
        ["-F", "CNI-ADMIN"],
        ["-F", "CNI-FORWARD"],
        ["-X", "CNI-ADMIN"],
        ["-X", "CNI-FORWARD"],
    ]


def test_podmans_chains_stay_while_a_container_uses_them() -> None:
    used = [*UNUSED[:-1], "-A CNI-FORWARD -s 10.88.0.4/32 -j ACCEPT", "COMMIT"]

    assert iptables.forgetting(used) == []


def test_a_table_without_podman_is_left_alone() -> None:
    assert iptables.forgetting(["*nat", ":PREROUTING ACCEPT [0:0]", "-A PREROUTING -d 10.0.0.1/32 -j ACCEPT"]) == []
