from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.errors import PolicyError
from runner.service.rules import RulesFiles
from runner.service.wake import Bell, wake
from tests.unit.runner.policy.examples import ACTIONS, FILE


def _write(file: Path, text: str, at: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(at, at))


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "policies.yml"
    _write(file, FILE, 1)
    rules = RulesFiles("cloud", file, None, ACTIONS)
    first = rules.current()
    assert rules.current() is first
    _write(file, FILE.replace("ceiling: 6", "ceiling: many"), 2)
    broken = rules.current()
    assert broken.policies is first.policies
    assert broken.problem is not None
    assert "ceiling is 'many'" in broken.problem
    _write(file, FILE.replace("ceiling: 6", "ceiling: 9"), 3)
    corrected = rules.current()
    assert (corrected.problem, corrected.policies.policies[0].ceiling) == (None, 9)
    file.unlink()
    assert "cannot be read" in str(rules.current().problem)


def test_rules_that_were_never_good_are_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        RulesFiles("cloud", tmp_path / "policies.yml", None)


def test_a_bell_is_heard_once_and_nobody_minds_when_there_is_none(tmp_path: Path) -> None:
    wake(tmp_path)
    bell = Bell(tmp_path)
    assert not bell.wait(0)
    wake(tmp_path)
    bell.ring()
    assert bell.wait(5)
    assert not bell.wait(0)
    bell.close()
    wake(tmp_path)


def test_the_colos_absence_is_read_when_a_failover_writes_it_and_need_not_be_there(tmp_path: Path) -> None:
    policies, absence = tmp_path / "policies.yml", tmp_path / "absence.yml"
    _write(policies, FILE, 1)
    rules = RulesFiles("cloud", policies, None, ACTIONS, absence_file=absence)
    assert rules.current().absence is None
    _write(absence, "colo: lost\nservers: 2\nceiling: 5\n", 2_000_000_000)
    lost = rules.current().absence
    assert lost is not None
    assert (lost.servers, lost.over, lost.since.timestamp()) == (2, False, 2.0)
    _write(absence, "colo: back\n", 3_000_000_000)
    back = rules.current().absence
    assert back is not None
    assert back.over
    _write(absence, "colo: gone\n", 4_000_000_000)
    broken = rules.current()
    assert (broken.absence, "colo is 'gone'" in str(broken.problem)) == (back, True)
