"""Host keys come from the console, and a successor replaces its predecessor's."""

from __future__ import annotations

from plugins.module_utils import ssh_known_hosts as known

CONSOLE = """\
[  OK  ] Started ssh.service
ci-info: +++++++ authorized keys
-----BEGIN SSH HOST KEY KEYS-----
ecdsa-sha2-nistp256 AAAAE2Vj root@was1
ssh-ed25519 AAAAC3Nz root@was1
-----END SSH HOST KEY KEYS-----
login:
"""


def test_keys_are_found_between_the_markers() -> None:
    assert known.keys_from_console(CONSOLE) == ["ecdsa-sha2-nistp256 AAAAE2Vj", "ssh-ed25519 AAAAC3Nz"]


def test_keys_with_a_console_prefix_are_found_too() -> None:
    prefixed = CONSOLE.replace("ssh-ed25519", "[   12.3] cloud-init[99]: ssh-ed25519")
    assert "ssh-ed25519 AAAAC3Nz" in known.keys_from_console(prefixed)


def test_half_a_block_is_not_read() -> None:
    assert known.keys_from_console(CONSOLE.split(known.END, maxsplit=1)[0]) == []
    assert known.keys_from_console("nothing yet") == []


def test_the_last_boot_counts() -> None:
    later = CONSOLE.replace("AAAAC3Nz", "BBBBnew").replace("AAAAE2Vj", "BBBBold")
    assert "ssh-ed25519 BBBBnew" in known.keys_from_console(CONSOLE + later)
    assert "ssh-ed25519 AAAAC3Nz" not in known.keys_from_console(CONSOLE + later)


def test_a_successor_under_the_same_address_replaces_the_entries() -> None:
    lines = ["elsewhere ssh-ed25519 ZZZZ", *known.entries(["was1", "10.0.0.7"], ["ssh-ed25519 OLD"], "id-1")]
    assert known.known_servers(lines) == {"id-1"}
    lines = known.without(lines, {"10.0.0.7"}, set()) + known.entries(["was2", "10.0.0.7"], ["ssh-ed25519 NEW"], "id-2")
    assert lines == ["elsewhere ssh-ed25519 ZZZZ", "was2,10.0.0.7 ssh-ed25519 NEW server:id-2"]


def test_a_server_is_forgotten_by_its_id() -> None:
    lines = known.entries(["was1"], ["ssh-ed25519 OLD"], "id-1")
    assert known.without(lines, set(), {"id-1"}) == []
    assert known.without(lines, set(), {"id-2"}) == lines
