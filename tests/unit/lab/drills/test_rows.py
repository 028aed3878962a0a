"""The catalogue of drills is whole: every step can be done, and what is broken is mended."""

from __future__ import annotations

import re

import pytest

from lab.drills import acting, rows
from lab.errors import UnknownNameError
from tests.content import project

by_row = pytest.mark.parametrize("row", rows.ROWS, ids=[row.name for row in rows.ROWS])


def test_names_are_unique_words() -> None:
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@by_row
def test_every_step_is_known_and_every_playbook_there(row: rows.Row) -> None:
    for step in (*row.prepare, *row.inject, *row.act, *row.heal):
        assert step.verb in acting.VERBS
        if step.verb.startswith("play"):
            assert (project.ROOT / f"playbooks/{step.words[0]}.yml").is_file()


@by_row
def test_a_row_breaks_something_and_has_a_deadline(row: rows.Row) -> None:
    assert row.inject
    assert row.deadline_seconds > 0


@by_row
def test_whatever_loses_its_power_gets_it_back(row: rows.Row) -> None:
    off = {step.words for step in row.inject if step.verb == "power-off"}
    assert off == {step.words for step in row.heal if step.verb == "power-on"}


@by_row
def test_only_rows_that_fail_over_are_audited_in_the_cloud(row: rows.Row) -> None:
    assert (row.auditor == "cloud-was1") == row.fails_over
    assert row.tier is not None or not row.fails_over


def test_a_storage_that_is_away_is_refused_in_the_words_of_the_product() -> None:
    (refused,) = (step for step in rows.named("storage-down").act if step.verb == "play-refused")
    command = project.ROOT / "plugins/module_utils/pgbackrest_command.py"
    assert refused.words[1] in command.read_text(encoding="utf-8")


def test_a_name_that_is_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no drill 'mars'; there are was-dies, "):
        rows.named("mars")


def test_what_is_run_then_is_told_by_its_playbooks() -> None:
    assert rows.named("was-dies").then == "nothing"
    assert rows.named("vpn-cut").then == "fail_over_to_cloud, then switch_customers"


def test_only_a_failover_to_a_replica_that_does_not_confirm_may_lose_bookings() -> None:
    losing = {row.name for row in rows.ROWS if not row.loses_nothing}
    assert losing == {"colo-dark", "colo-dark-archive", "colo-cut-off", "runner-killed-mid-failover"}
