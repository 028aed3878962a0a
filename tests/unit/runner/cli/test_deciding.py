"""`understudy decide` says what a saved alert would lead to, without a service; `check-policies` reads a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runner.cli.desk import Desk

POLICIES = """
policies:
  - {name: crowd, match: ['alertname="BookingSlow"'], action: scale_out, step: +2, ceiling: 12}
  - {name: crowd-left, match: ['alertname="BookingIdle"'], action: scale_in, step: -1}
"""
CALENDAR = """
ceiling: 12
week:
  - {days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00", load: 5}
"""
ALERT = {
    "status": "firing",
    "labels": {"alertname": "BookingSlow", "site": "cloud"},
    "startsAt": "2026-11-25T08:40:00Z",
    "fingerprint": "f1",
}


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policies = self.write("policies.yml", POLICIES)
        self.calendar = self.write("calendar.yml", CALENDAR)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def saved(self, value: Any) -> str:
        return self.write("saved.json", json.dumps(value))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_delivery_of_alertmanager_is_judged_with_its_reason(desk: Desk, files: Files) -> None:
    saved = files.saved({"version": "4", "alerts": [ALERT, ALERT | {"labels": {"alertname": "DiskFull"}}]})
    shown = desk.run("decide", "--alert", saved, "--policies", files.policies)
    assert shown.code == 0
    assert "verdict run reason BookingSlow fires (policy crowd): scale_out from 0 to 2 servers." in shown.words
    assert "verdict no_match reason No policy speaks of the alert DiskFull." in shown.words
    assert desk.asked == []


def test_json_holds_alert_and_decision(desk: Desk, files: Files) -> None:
    saved = files.saved({"version": "1", "orgId": 1, "alerts": [ALERT]})
    [told] = desk.run("decide", "--alert", saved, "--policies", files.policies, "--json").json
    assert told["alert"]["name"] == "BookingSlow"
    assert told["decision"]["verdict"] == "run"
    assert told["decision"]["variables"] == {"wanted_servers": 2}


def test_one_alert_may_stand_alone_with_its_labels(desk: Desk, files: Files) -> None:
    saved = files.saved({"labels": {"alertname": "BookingSlow"}})
    assert "verdict run" in desk.run("decide", "--alert", saved, "--policies", files.policies).words


def test_servers_that_are_pretended_and_the_plan_count(desk: Desk, files: Files) -> None:
    idle = files.saved({"labels": {"alertname": "BookingIdle"}})
    judge = ("decide", "--alert", idle, "--policies", files.policies)
    assert "none were ever listed" in desk.run(*judge).words
    assert "scale_in from 6 to 5 servers" in desk.run(*judge, "--servers", "6").words
    shown = desk.run(*judge, "--servers", "5", "--calendar", files.calendar)
    assert "the capacity plan wants 5" in shown.words


def test_the_other_site_does_not_own_it(desk: Desk, files: Files) -> None:
    saved = files.saved(ALERT)
    judge = ("decide", "--alert", saved, "--policies", files.policies)
    assert "verdict not_ours" in desk.run(*judge, "--site", "colo").words
    assert "verdict not_ours" in desk.run(*judge, environment={"UNDERSTUDY_SITE": "colo"}).words


def test_policies_are_those_of_the_settings_unless_others_are_named(desk: Desk, files: Files) -> None:
    shown = desk.run("decide", "--alert", files.saved(ALERT), environment={"UNDERSTUDY_POLICIES_FILE": files.policies})
    assert "verdict run" in shown.words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The alert is not JSON"),
        ("[]", "There is neither `alerts` nor `labels` in it"),
        ('{"version": "3", "alerts": [{}]}', "The delivery is not understood"),
    ],
)
def test_what_is_no_alert_is_wrong_usage(desk: Desk, files: Files, text: str, message: str) -> None:
    shown = desk.run("decide", "--alert", files.write("saved.json", text), "--policies", files.policies)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err


def test_an_alert_that_cannot_be_read_and_a_site_that_is_none_are_wrong_usage(desk: Desk, files: Files) -> None:
    shown = desk.run("decide", "--alert", "nowhere.json", "--policies", files.policies)
    assert (shown.code, shown.err) == (2, "The alert nowhere.json cannot be read: No such file or directory.\n")
    shown = desk.run("decide", "--alert", files.saved(ALERT), "--policies", files.policies, "--site", "mars")
    assert (shown.code, shown.err) == (2, "The site is 'mars'; expected colo or cloud.\n")


def test_live_takes_everything_from_the_settings(desk: Desk, files: Files) -> None:
    shown = desk.run("decide", "--alert", files.saved(ALERT), "--live", "--servers", "3")
    assert shown.code == 2
    assert "--live takes servers from the settings and the store" in shown.words


def test_a_policy_file_that_can_be_used_is_said_to_be(desk: Desk, files: Files) -> None:
    shown = desk.run("check-policies", files.policies, "--calendar", files.calendar)
    assert shown.code == 0
    assert shown.out == f"{files.policies} can be used: 2 policies, 0 schedules; so can {files.calendar}.\n"


def test_a_broken_one_is_refused_with_file_key_and_value(desk: Desk, files: Files) -> None:
    broken = files.write("broken.yml", POLICIES.replace("ceiling: 12", "ceiling: 12, cooldown: 5x"))
    shown = desk.run("check-policies", broken)
    assert shown.code == 2
    assert shown.err == "broken.yml: policies[0].cooldown is '5x'; expected a duration such as 10m.\n"
