"""Which steps bring a systemd unit to its state."""

from __future__ import annotations

import pytest

from plugins.module_utils.unit_steps import Found, Wanted, parse, steps

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


def test_what_systemctl_shows_of_several_units_is_read_apart() -> None:
    shown = "Id=a.service\nActiveState=active\nX=1=2\n\nId=b.service\nActiveState=\n"
    assert parse(shown) == [
        {"Id": "a.service", "ActiveState": "active", "X": "1=2"},
        {"Id": "b.service", "ActiveState": ""},
    ]
