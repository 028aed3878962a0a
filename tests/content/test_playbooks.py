"""Playbooks compose; their table tells who calls them and how to undo."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.content import project

PLAYBOOKS = sorted((project.ROOT / "playbooks").glob("*.yml"))
by_playbook = pytest.mark.parametrize("playbook", PLAYBOOKS, ids=[path.stem for path in PLAYBOOKS])


def test_there_are_playbooks() -> None:
    assert {"site", "cloud", "network"} <= {path.stem for path in PLAYBOOKS}


@by_playbook
def test_a_playbook_fits_on_two_screens(playbook: Path) -> None:
    assert len(playbook.read_text(encoding="utf-8").splitlines()) <= 90  # two screens of 45 lines


@by_playbook
def test_every_play_has_a_name_that_a_person_can_read(playbook: Path) -> None:
    names = [play.get("name", "") for play in project.load(playbook)]
    assert all(re.match(r"[A-Z].{8,}", name) for name in names), names


@by_playbook
def test_no_play_sets_desired_state_or_asks_questions(playbook: Path) -> None:
    offences = [key for play in project.load(playbook) for key in ("vars", "vars_prompt", "vars_files") if key in play]
    assert offences == []


@by_playbook
def test_what_is_done_on_burst_servers_knows_their_host_keys_first(playbook: Path) -> None:
    plays = project.load(playbook)
    patterns = [set(str(play.get("hosts", "")).split(":")) for play in plays]
    on_them = [each for each in patterns if each & {"all", "was", "cloud"} and not each & {"!burst", "&colo"}]
    if on_them and playbook.stem != "cloud":  # which makes the cloud's hosts known itself
        assert plays[0].get("ansible.builtin.import_playbook") == "record_host_keys.yml", on_them


@by_playbook
def test_the_table_lists_the_playbook_with_caller_repeat_and_undo(playbook: Path) -> None:
    table = (project.ROOT / "playbooks/README.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith(f"| `{playbook.stem}`")]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].strip("|").split("|"))


@by_playbook
def test_the_file_name_of_a_play_is_a_noun_or_a_verb_of_the_design(playbook: Path) -> None:
    nouns = {"site", "cloud", "network", "database", "application", "edge", "observability", "control"}
    verbs = (
        "count",
        "scale",
        "take",
        "restore",
        "verify",
        "fail",
        "rehearse",
        "bake",
        "rotate",
        "fence",
        "unfence",
        "destroy",
        "roll_back",
        "switch",
        "change",
        "settle",
        "show",
        "rejoin",
        "acknowledge",
        "prepare",
        "remove",
        "seal",
        "prove",
        "guard",
        "record",
    )
    assert playbook.stem in nouns or playbook.stem.startswith(verbs)
