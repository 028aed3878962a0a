"""Whatever a drill broke ends with it, also when it breaks off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import cloud, faults, runners, topology
from lab.drills import mending, rows
from lab.drills.acting import Actor
from lab.drills.playbooks import Played
from lab.drills.rows import step
from lab.errors import LabError
from lab.paths import Paths

ROW = rows.Row("x", "x", (step("fill-wal"), step("power-off", "colo-was1")), 10, heal=(step("play", "take_backup"),))


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what is done to the lab, and do nothing."""
    told: list[str] = []

    def note(name: str, *, words: bool = False) -> Any:
        return lambda *given: told.append(" ".join([name, *map(str, given[1:] if words else ())]))

    monkeypatch.setattr(cloud, "object_storage_fault", note("storage up"))
    monkeypatch.setattr(faults, "cloud_api", note("api up"))
    monkeypatch.setattr(faults, "heal", note("network"))
    monkeypatch.setattr(faults, "power_on", note("power", words=True))
    monkeypatch.setattr(runners, "ask", note("ask", words=True))
    monkeypatch.setattr(runners, "let_go", note("let go"))
    monkeypatch.setattr(mending, "_bring_home", note("home"))
    monkeypatch.setattr(mending, "MENDS", {verb: note(f"mend {verb}") for verb in mending.MENDS})
    return told


def actor(tmp_path: Path, done: list[str]) -> Actor:
    def run(name: str, *_: Any, **__: Any) -> Played:
        done.append(f"play {name}")
        return Played(name, 0, "", 1.0, 1)

    return Actor(faults.Lab(topology.load(), Paths()), "standby", tmp_path, lambda _: 0.0, run)


MENDED = ["api up", "storage up", "power colo-was1", "network", "mend fill-wal"]


def test_a_drill_that_breaks_off_is_mended_and_then_healed_as_its_row_says(done: list[str], tmp_path: Path) -> None:
    def broken_off() -> None:
        with mending.mended(actor(tmp_path, done), ROW):
            done.clear()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert done == [*MENDED, "play take_backup", "home", "let go"]


def test_a_drill_that_came_to_its_end_is_healed_once(done: list[str], tmp_path: Path) -> None:
    acting = actor(tmp_path, done)
    with mending.mended(acting, ROW):
        mending.heal(acting, ROW)
        done.clear()
    assert done == [*MENDED, "home", "let go"]


def test_what_cannot_be_mended_keeps_nothing_else_from_it(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise LabError("colo-db1 is gone.")

    monkeypatch.setattr(mending, "MENDS", {"fill-wal": fail})
    with pytest.raises(LabError, match="colo-db1 is gone"), mending.mended(actor(tmp_path, done), ROW):
        done.clear()
    assert done[-3:] == ["play take_backup", "home", "let go"]


@pytest.mark.parametrize("verb", sorted(mending.MENDS))
def test_every_fault_that_needs_mending_is_one_of_a_row_that_mends_it(verb: str) -> None:
    mends = {
        "corrupt-backup": "mend-backup",
        "fill-wal": "mend-wal",
        "expire-certificate": "mend-certificate",
        "freeze-runner": "thaw-runner",
    }
    (row,) = (each for each in rows.ROWS if verb in {step.verb for step in each.inject})
    assert mends[verb] in {step.verb for step in row.heal}
