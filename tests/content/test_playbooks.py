"""Playbooks compose; their table tells who calls them and how to undo."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.content import project

PLAYBOOKS = sorted((project.ROOT / "playbooks").glob("*.yml"))
by_playbook = pytest.mark.parametrize("playbook", PLAYBOOKS, ids=[path.stem for path in PLAYBOOKS])
REFUSAL = "refuse_others_database.yml"
# They work on database hosts, and beside a database of others as well.
BESIDE_OTHERS = {
    "database",  # does nothing then
    "network",  # whoever is there is asked
    "seal_evidence",  # whoever is there is asked
}
# Entry points that work with a database of others.
FOR_APPLICATIONS = {("database", "leader_endpoint")}
NEEDS_OURS = {
    "take_backup",
    "verify_backup",
    "restore_backup",
    "prove_backup",
    "rehearse_failover",
    "show_failover_card",
    "prepare_failover",
    "fail_over_to_cloud",
    "fail_back_to_colo",
    "rejoin_database",
    "remove_cloud_database",
    "bake_database_image",
    "change_data_tier",
}


def imported(playbook: Path) -> list[str]:
    """List what a playbook's entries import; an entry that is a play has nothing here."""
    return [play.get("ansible.builtin.import_playbook", "") for play in project.load(playbook)]


def is_refused_first(playbook: Path) -> bool:
    """Tell whether a playbook begins with the refusal, or with a playbook that does."""
    first = imported(playbook)[0]
    return first == REFUSAL or (bool(first) and is_refused_first(playbook.parent / first))


def roles_of(document: Any, folder: Path) -> set[tuple[str, str]]:
    """Collect roles with their entry points from plays and tasks, and from the files of tasks that they import."""
    found = {(role["role"], "main") for play in document for role in play.get("roles", [])}
    for task in project.tasks_of(document):
        for how in ("import", "include"):
            role = task.get(f"ansible.builtin.{how}_role")
            found |= {(role["name"], role.get("tasks_from", "main"))} if role else set()
            file = task.get(f"ansible.builtin.{how}_tasks")
            found |= roles_of(project.load(folder / file), (folder / file).parent) if file else set()
    return found


def works_on_our_database(playbook: Path) -> bool:
    """Tell whether a playbook itself goes to database hosts, or uses a role that makes or keeps a database."""
    plays = project.load(playbook)
    goes_there = any("database" in str(play.get("hosts", "")).split(":") for play in plays)
    used = roles_of(plays, playbook.parent) - FOR_APPLICATIONS
    return goes_there or any(role in {"database", "backup"} for role, _ in used)


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
        assert next(name for name in imported(playbook) if name != REFUSAL) == "record_host_keys.yml", on_them


def test_what_needs_a_database_of_this_project_is_recognised() -> None:
    found = {playbook.stem for playbook in PLAYBOOKS if works_on_our_database(playbook)}
    assert found == NEEDS_OURS | BESIDE_OTHERS


@by_playbook
def test_what_needs_a_database_of_this_project_is_refused_first_where_others_run_it(playbook: Path) -> None:
    needs = playbook.stem in NEEDS_OURS or works_on_our_database(playbook)
    assert is_refused_first(playbook) == (needs and playbook.stem not in BESIDE_OTHERS)


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
        "refuse",
    )
    assert playbook.stem in nouns or playbook.stem.startswith(verbs)
