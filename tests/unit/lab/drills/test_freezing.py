"""A runner that is frozen goes on by itself, and has in its ledger what was sent to it meanwhile."""

from __future__ import annotations

import json

import pytest

from lab import faults, runners, topology
from lab.drills import freezing, reach
from lab.paths import Paths

LAB = faults.Lab(topology.load(), Paths())
STORM = {"alert": "DrillStorm", "alerts": 2, "started": "2026-12-24T18:00:07Z"}
MOMENTS = ["2026-12-24T18:00:08.120Z", "2026-12-24T18:00:07.003Z", "2026-12-24T17:59:59.900Z"]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(reach, "on", lambda _, *words: told.append(words))
    return told


def test_it_is_sure_to_go_on_before_it_is_stopped(said: list[tuple[str, ...]]) -> None:
    freezing.freeze(LAB, "cloud-ops1", "30")
    assert ["systemd-run" in said[0], "--signal=CONT" in said[0], "--on-active=30" in said[0]] == [True] * 3
    assert said[1] == ("cloud-ops1", "sudo", "systemctl", "kill", "--signal=STOP", "understudy-runner.service")


def test_mending_lets_every_runner_go_on(said: list[tuple[str, ...]]) -> None:
    freezing.mend(LAB)
    assert [words[0] for words in said] == list(runners.HOSTS)
    assert all("--signal=CONT" in words[-1] for words in said)


def test_the_ledger_is_asked_until_it_has_all_of_the_storm(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [MOMENTS[1:], MOMENTS]
    slept: list[float] = []

    def ask(_lab: faults.Lab, _host: str, *_words: str) -> str:
        return json.dumps({"lines": [{"at": moment} for moment in answers.pop(0)]})

    monkeypatch.setattr(runners, "ask", ask)
    assert freezing.in_ledger(LAB, "cloud-ops1", STORM, slept.append) == 2
    assert len(slept) == 1


def test_lines_before_the_storm_are_not_of_it() -> None:
    assert freezing.counted({"lines": [{"at": moment} for moment in MOMENTS]}, "2026-12-24T18:00:07Z") == 2
