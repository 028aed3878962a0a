"""Ledger, plan, capacity and brake, in tables and in JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.runner.cli.desk import Desk, problem

LINE = {
    "id": 12, "at": "2026-11-25T08:42:07Z", "name": "BookingSlow", "verdict": "merged", "reason": "Merged into job J.",
    "source": "alertmanager", "policy": "crowd", "action": "scale_out", "target": "capacity", "job": "J", "repeats": 3,
    "until": None,
}  # fmt: skip
LEDGER = {"lines": [LINE], "before": None}
PLAN = {
    "servers": 2, "reason": "usual load 200 on wed", "readiness": "ready 2 of 4 at 17:42 for 18:00.", "alarm": False,
    "allowed": None,
    "hours": [
        {"at": "2026-11-25T08:00:00Z", "servers": 0, "reason": "usual load 0"},
        {"at": "2026-11-25T09:00:00Z", "servers": 2, "reason": "usual load 200"},
        {"at": "2026-11-25T10:00:00Z", "servers": 4, "reason": "x2 for the opening of The Understudy"},
    ],
}  # fmt: skip
CAPACITY = {"known": True, "wanted": 4, "ready": 2, "age_seconds": 95.0, "stale": False, "allowed": None}
OFF: dict[str, Any] = {"on": False, "reason": None, "by": None, "since": None}
ON = {"on": True, "reason": "network works", "by": "kim", "since": "2026-11-25T06:42:10Z"}


@pytest.mark.parametrize(
    ("command", "answer"), [("ledger", LEDGER), ("plan", PLAN), ("capacity", CAPACITY), ("brake", OFF)]
)
def test_json_is_the_answer_of_the_api_and_nothing_else(desk: Desk, command: str, answer: dict[str, Any]) -> None:
    desk.answers(f"GET /{command}", answer)
    shown = desk.run(command, "--json")
    assert (shown.code, shown.json) == (0, answer)


def test_the_ledger_says_what_became_of_what(desk: Desk) -> None:
    desk.answers("GET /ledger", LEDGER)
    shown = desk.run("ledger", "--verdict", "merged", "--name", "BookingSlow")
    row = next(line for line in shown.out.splitlines() if "BookingSlow" in line)
    assert " ".join(row.split()) == "08:42:07 (3 s ago) BookingSlow merged Merged into job J. alertmanager 3 J"
    assert desk.asked[0].url.query == b"verdict=merged&name=BookingSlow&limit=30"


def test_the_plan_has_a_bar_for_each_hour(desk: Desk) -> None:
    desk.answers("GET /plan", PLAN)
    shown = desk.run("plan", "--hours", "3")
    rows = [line for line in shown.out.splitlines() if line.strip().startswith("Wed")]
    assert [row.count("█") for row in rows] == [0, 2, 4]
    assert "Wed 25 Nov 10:00" in rows[2]
    assert "ready 2 of 4 at 17:42 for 18:00." in shown.out
    assert desk.asked[0].url.query == b"hours=3"


def test_a_bar_is_never_wider_than_its_column(desk: Desk) -> None:
    hours = [{"at": "2026-11-25T08:00:00Z", "servers": servers, "reason": ""} for servers in (200, 1, 0)]
    desk.answers("GET /plan", PLAN | {"hours": hours})
    rows = [line for line in desk.run("plan").out.splitlines() if line.strip().startswith("Wed")]
    assert [row.count("█") for row in rows] == [40, 1, 0]


def test_capacity_says_how_old_its_knowledge_is(desk: Desk) -> None:
    desk.answers("GET /capacity", CAPACITY)
    assert desk.run("capacity").out == "2 of 4 burst servers are ready, as of 1 min ago.\n"


@pytest.mark.parametrize(("command", "answer"), [("plan", PLAN), ("capacity", CAPACITY)])
def test_what_the_quota_allows_is_shown_where_it_is_known(desk: Desk, command: str, answer: dict[str, Any]) -> None:
    desk.answers(f"GET /{command}", answer, answer | {"allowed": 3})
    assert "quota" not in desk.run(command).out
    assert "The cloud's quota lets there be 3.\n" in desk.run(command).out


def test_a_stale_list_and_an_unknown_number_are_said_as_such(desk: Desk) -> None:
    desk.answers("GET /capacity", CAPACITY | {"stale": True}, {"known": False, "wanted": None, "ready": None})
    assert "last good list" in desk.run("capacity").out
    assert "not known, which is not none" in desk.run("capacity").out


def test_the_brake_is_shown_pulled_and_let_go(desk: Desk) -> None:
    desk.answers("GET /brake", OFF)
    assert desk.run("brake").out == "The brake is off.\n"
    desk.answers("PUT /brake", ON, OFF)
    shown = desk.run("brake", "on", "--reason", "network works")
    assert shown.out == "The brake is ON since 06:42:10 (2 h ago), by kim: network works\n"
    assert json.loads(desk.asked[-1].content) == {"on": True, "reason": "network works"}
    assert desk.run("brake", "off").code == 0
    assert json.loads(desk.asked[-1].content) == {"on": False, "reason": ""}


def test_the_brake_is_not_pulled_without_a_reason(desk: Desk) -> None:
    shown = desk.run("brake", "on")
    assert shown.code == 2
    assert "whoever finds the brake on must know why" in shown.words
    assert desk.asked == []


def test_a_store_that_is_away_is_exit_code_3(desk: Desk) -> None:
    desk.answers("GET /ledger", problem(503, "store_unavailable", "The store cannot be used now; repeat it."))
    shown = desk.run("ledger")
    assert (shown.code, shown.err) == (3, "The store cannot be used now; repeat it.\n")
