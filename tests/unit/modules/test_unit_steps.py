"""Which steps bring a systemd unit to its state."""

from __future__ import annotations

import pytest

from plugins.module_utils.unit_steps import Found, Wanted, drop_in_directories, found, parse, stale, steps, triggered

RUNNING = Found("loaded", "active", "enabled")
STOPPED = Found("loaded", "inactive", "disabled")


@pytest.mark.parametrize(
    ("wanted", "found", "verbs"),
    [
        (Wanted("x", enabled=True, running=True), RUNNING, []),
        (Wanted("x", enabled=True, running=True), STOPPED, ["enable", "start"]),
        (Wanted("x", enabled=True, running=True), Found("loaded", "failed", "enabled"), ["start"]),
        (Wanted("x", enabled=True, running=True, restart=True), RUNNING, ["restart"]),
        (Wanted("x", enabled=True, running=True, restart=True), STOPPED, ["enable", "start"]),
        (Wanted("x", running=True, reload=True), RUNNING, ["reload"]),
        (Wanted("x", restart=True), STOPPED, []),
        (Wanted("x", enabled=False, running=False), RUNNING, ["disable", "stop"]),
        (Wanted("x", enabled=False, running=False), STOPPED, []),
        (Wanted("x", enabled=True), Found("loaded", "inactive", "static"), []),
        (Wanted("x", running=False, masked=True), RUNNING, ["stop", "mask"]),
        (Wanted("x", masked=True), Found("masked", "inactive", "masked"), []),
        (Wanted("x", masked=False, running=True), Found("masked", "inactive", "masked"), ["unmask", "start"]),
        (Wanted("x"), STOPPED, []),
    ],
)
def test_only_missing_steps_are_taken(wanted: Wanted, found: Found, verbs: list[str]) -> None:
    assert steps(wanted, found) == verbs


def test_what_a_timer_starts_is_looked_at_too() -> None:
    blocks = [{"Id": "a.timer", "Triggers": "a.service"}, {"Id": "b.socket", "Triggers": "b.service c.service"}, {}]
    assert triggered(blocks, ["a.timer", "b.socket", "b.service"]) == ["a.service", "c.service"]


def test_what_systemctl_shows_of_several_units_is_read_apart() -> None:
    shown = "Id=a.service\nActiveState=active\nX=1=2\n\nId=b.service\nActiveState=\n"
    assert parse(shown) == [
        {"Id": "a.service", "ActiveState": "active", "X": "1=2"},
        {"Id": "b.service", "ActiveState": ""},
    ]


# A unit that began to start at 100 and was last reloaded at 200.
SINCE = Found("loaded", "active", "enabled", started=100.0, changed=200.0)


@pytest.mark.parametrize(
    ("wanted", "modified", "verbs"),
    [
        (Wanted("x", restart_after=("/a",)), {"/a": 101.0}, ["restart"]),
        (Wanted("x", restart_after=("/a",)), {"/a": 99.0}, []),
        (Wanted("x", restart_after=("/a", "/b")), {"/a": 99.0, "/b": 101.0}, ["restart"]),
        (Wanted("x", restart_after=("/a",)), {}, []),
        (Wanted("x", reload_after=("/a",)), {"/a": 201.0}, ["reload"]),
        (Wanted("x", reload_after=("/a",)), {"/a": 199.0}, []),
        (Wanted("x", restart_after=("/a",), reload_after=("/b",)), {"/a": 101.0, "/b": 201.0}, ["restart"]),
        (Wanted("x", restart_after=("/a",), reload_after=("/b",)), {"/a": 99.0, "/b": 201.0}, ["reload"]),
        (Wanted("x", running=False, restart_after=("/a",)), {"/a": 101.0}, ["stop"]),
    ],
)
def test_a_unit_older_than_what_it_reads_takes_it_up(
    wanted: Wanted, modified: dict[str, float], verbs: list[str]
) -> None:
    assert steps(wanted, SINCE, modified) == verbs


def test_a_stopped_unit_has_nothing_to_take_up() -> None:
    wanted = Wanted("x", restart_after=("/a",), reload_after=("/a",))
    assert steps(wanted, Found("loaded", "inactive", "enabled", 100.0, 200.0), {"/a": 300.0}) == []


def test_times_of_systemctl_count_from_the_boot() -> None:
    block = {
        "LoadState": "loaded",
        "ActiveState": "activating",
        "UnitFileState": "",
        "InactiveExitTimestampMonotonic": "2500000",
        "StateChangeTimestampMonotonic": "0",
    }
    assert found(block, 1000.0) == Found("loaded", "activating", "", started=1002.5, changed=1000.0)


@pytest.mark.parametrize(
    ("name", "directories"),
    [
        ("x.service", ["x.service.d"]),
        ("wg-quick@wg0.service", ["wg-quick@wg0.service.d", "wg-quick@.service.d"]),
        ("was-prepare@1.2.0.service", ["was-prepare@1.2.0.service.d", "was-prepare@.service.d"]),
    ],
)
def test_drop_ins_of_an_instance_are_also_those_of_its_template(name: str, directories: list[str]) -> None:
    assert drop_in_directories(name) == directories


BLOCK = {"LoadState": "loaded", "NeedDaemonReload": "no", "DropInPaths": "/lib/x.d/1.conf /etc/x.d/2.conf"}


@pytest.mark.parametrize(
    ("block", "drop_ins", "is_stale"),
    [
        (BLOCK, [], False),
        (BLOCK, ["/etc/x.d/2.conf"], False),
        (BLOCK, ["/etc/x.d/2.conf", "/etc/x.d/3.conf"], True),
        (BLOCK | {"DropInPaths": ""}, ["/etc/x.d/2.conf"], True),
        (BLOCK | {"NeedDaemonReload": "yes"}, [], True),
        (BLOCK | {"LoadState": "not-found"}, [], True),
        (BLOCK | {"LoadState": "masked", "DropInPaths": ""}, ["/etc/x.d/2.conf"], False),
    ],
)
def test_systemd_reads_its_files_again_when_it_has_not_seen_one(
    block: dict[str, str], drop_ins: list[str], is_stale: bool
) -> None:
    assert stale(block, drop_ins) == is_stale
