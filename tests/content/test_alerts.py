"""Alerts: each fires when it should and is silent when it should, leads to a page, and stands on figures that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.content import alert_rules, project, promtool

PAGES = project.ROOT / "docs/runbooks/alerts"
ALERTS = alert_rules.alerts()
by_alert = pytest.mark.parametrize("alert", sorted(ALERTS))


def cases() -> dict[str, set[bool]]:
    """Say for each alert whether it has cases in which it fires (True) and in which it is silent (False)."""
    found: dict[str, set[bool]] = {}
    for path in alert_rules.CASES:
        for case in project.load(path)["tests"]:
            for test in case["promql_expr_test"]:
                name = re.fullmatch(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}', test["expr"])
                assert name, f"{path.name}: {case['name']} asks {test['expr']}"
                assert case["name"].startswith(f"{name[1]}: "), case["name"]
                found.setdefault(name[1], set()).add(bool(test["exp_samples"]))
    return found


@pytest.mark.parametrize("inventory", ["", "lab", "production"], ids=["defaults", "lab", "production"])
def test_the_rules_are_right_with_the_limits_of(inventory: str, tmp_path: Path) -> None:
    code, said = promtool.run("check", "rules", *alert_rules.write(tmp_path, inventory), folder=tmp_path)
    assert code == 0, said


def test_every_case_comes_out_as_it_says(tmp_path: Path) -> None:
    alert_rules.write(tmp_path)
    code, said = promtool.run("test", "rules", *(f"cases-{path.name}" for path in alert_rules.CASES), folder=tmp_path)
    assert code == 0, said


def test_a_case_that_comes_out_otherwise_is_found(tmp_path: Path) -> None:
    alert_rules.write(tmp_path)
    rules = tmp_path / "customers.yml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("> 0.02", "> 0.2"), encoding="utf-8")
    code, said = promtool.run("test", "rules", "cases-customers.yml", folder=tmp_path)
    assert code != 0
    assert "BookingFailing" in said


@by_alert
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(alert: str) -> None:
    # The heartbeat is never silent: its absence is the alarm.
    assert cases().get(alert) == ({True} if alert == "Watchdog" else {True, False})


def test_there_are_no_cases_of_alerts_that_are_gone() -> None:
    assert set(cases()) - set(ALERTS) == set()


@by_alert
def test_an_alert_says_what_it_is_and_leads_to_its_page(alert: str) -> None:
    annotations = ALERTS[alert]["annotations"]
    assert annotations["summary"].endswith(".")
    assert annotations["description"].endswith(".") or "%s" in annotations["description"]
    assert annotations["runbook"] == f"docs/runbooks/alerts/{alert}.md"
    assert ALERTS[alert]["labels"]["severity"] in {"critical", "warning", "info", "none"}


@by_alert
def test_its_page_is_one_screen_and_says_what_to_do(alert: str) -> None:
    text = (PAGES / f"{alert}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert}\n")
    assert len(text.splitlines()) <= 40
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads == ["What it means", "How to look", "What to do", "How to know it is over"]


def test_there_are_no_pages_of_alerts_that_are_gone() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} - set(ALERTS) - {"README"} == set()


def test_the_list_of_pages_has_every_alert() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\)", (PAGES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(ALERTS)


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_alerts_that_policies_wait_for_exist(inventory: str) -> None:
    policies = project.load(project.ROOT / f"inventories/{inventory}/policies.yml")
    matchers = [matcher for policy in policies["policies"] for matcher in policy["match"]]
    found = [
        re.findall(r'^alertname=~?"([\w|]+)"$', matcher) for matcher in matchers if matcher.startswith("alertname")
    ]
    assert all(found), matchers
    awaited = {name for (names,) in found for name in names.split("|")}
    awaited.add(policies["heartbeat"]["alertname"])
    assert awaited - set(ALERTS) == set()
    assert not any(matcher.startswith("severity") for matcher in matchers)  # a rule's severity is for people
