"""`understudy drill` finds drills where there are some, and says so where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest
import typer

from lab.drills import entry
from runner.cli import drill
from runner.errors import InvalidRequest, SettingsError
from tests.unit.runner.cli.desk import Desk

ROWS = ({"drill": "was-dies", "what fails": "WAS dies", "tier": "any", "deadline": "10 s"},)


class Drills:
    """Drills that only remember what was asked of them."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.asked: list[tuple[tuple[str, ...], bool]] = []

    def listed(self) -> Sequence[Mapping[str, str]]:
        return ROWS

    def run(self, names: Sequence[str], *, keep: bool) -> int:
        self.asked.append((tuple(names), keep))
        return self.code


def perform(drills: Drills, *names: str, **options: Any) -> None:
    given = {"show": False, "keep": False, "as_json": False} | options
    drill.perform(names, find=lambda: drills, **given)


def points(value: str) -> Callable[..., EntryPoints]:
    return lambda group: EntryPoints([EntryPoint("lab", value, group)])


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_drills_are_run_and_their_exit_code_is_the_commands(code: int) -> None:
    drills = Drills(code)
    with pytest.raises(typer.Exit) as ended:
        perform(drills, "was-dies", "colo-dark", keep=True)
    assert ended.value.exit_code == code
    assert drills.asked == [(("was-dies", "colo-dark"), True)]


def test_the_rows_are_listed_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    perform(Drills(), show=True)
    assert "WAS dies" in capsys.readouterr().out
    perform(Drills(), show=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == list(ROWS)


def test_nothing_is_run_when_no_row_is_named(desk: Desk) -> None:
    done = desk.run("drill")
    assert (done.code, "understudy drill --list" in done.err) == (2, True)
    with pytest.raises(InvalidRequest):
        perform(Drills())


def test_without_a_lab_it_says_so(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="no lab is installed"):
        drill.installed(lambda group: EntryPoints([]))


def test_a_lab_that_cannot_be_loaded_is_told_with_the_reason() -> None:
    with pytest.raises(SettingsError, match=r"No module named 'lab\.nowhere'"):
        drill.installed(points("lab.nowhere"))


def test_here_the_labs_drills_are_found(desk: Desk) -> None:
    assert drill.installed() is entry
    done = desk.run("drill", "--list", "--json")
    assert done.code == 0
    assert {row["drill"] for row in done.json} >= {"was-dies", "colo-dark", "colo-cut-off"}


def test_a_row_that_is_none_is_wrong_usage(desk: Desk) -> None:
    done = desk.run("drill", "mars")
    assert done.code == 2
    assert "There is no drill 'mars'" in done.err
