"""What each address answers, and what it asks the desk."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import InvalidRequest, NotFound, Refused, StoreUnavailable
from runner.model import Capacity, Decision, JobState, Verdict
from runner.web.desk import Brake, Health, LedgerLine
from tests.unit.runner.web.desks import NOON, MemoryDesk, ask, failing, house, job

WISH = {"action": "scale_out", "variables": {"wanted_servers": 4}}
JSON: dict[str, Any] = {"headers": {"content-type": "application/json"}}
ACTS = [
    ("cancel", "operate", None),
    ("acknowledge", "operate", None),
    ("approve", "approve", None),
    ("reject", "approve", {"reason": "No."}),
]


def error_of(response: Any) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"].endswith(".")
    return response.status_code, body["error"]["code"]


def test_jobs_are_listed_and_a_full_page_names_where_the_next_begins() -> None:
    desk = MemoryDesk({name: job(name) for name in ("j3", "j2", "j1")})
    found = ask(desk, "GET", "/jobs?limit=2&state=running&state=queued&before=j4", "read")
    assert [each["id"] for each in found.json()["jobs"]] == ["j3", "j2"]
    assert found.json()["before"] == "j2"
    assert desk.asked == [("jobs", (JobState.RUNNING, JobState.QUEUED), "j4", 2)]
    assert ask(desk, "GET", "/jobs", "read").json()["before"] is None


def test_one_job_is_shown_whole() -> None:
    found = ask(MemoryDesk(), "GET", "/jobs/j1", "read")
    assert found.json()["variables"] == {"wanted_servers": 4}
    assert found.json()["created_at"] == "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(("verdict", "status"), [(Verdict.RUN, 201), (Verdict.ASK, 202), (Verdict.MERGED, 200)])
def test_a_wish_is_answered_by_what_became_of_it(verdict: Verdict, status: int) -> None:
    desk = MemoryDesk(decision=Decision(verdict, "Because."), made=job())
    found = ask(desk, "POST", "/jobs", "operate", json=WISH)
    assert (found.status_code, found.headers["location"]) == (status, "/jobs/j1")
    assert found.json()["decision"]["verdict"] == verdict
    assert found.json()["job"]["id"] == "j1"
    assert desk.asked == [("submit", "scale_out", {"wanted_servers": 4}, "operate-holder", False)]


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.HELD, Verdict.NOT_OURS])
def test_a_wish_that_leads_to_no_job_is_409_with_its_verdict_and_reason(verdict: Verdict) -> None:
    desk = MemoryDesk(decision=Decision(verdict, "The inventory is stale."))
    found = ask(desk, "POST", "/jobs", "operate", json={**WISH, "insist": True})
    assert error_of(found) == (409, verdict)
    assert found.json()["error"]["message"] == "The inventory is stale."
    assert desk.asked[0][-1] is True


@pytest.mark.parametrize(("act", "scope", "body"), ACTS)
def test_people_act_on_jobs_under_their_own_name(act: str, scope: str, body: Any) -> None:
    desk = MemoryDesk()
    found = ask(desk, "POST", f"/jobs/j1/{act}", scope, json=body)
    assert (found.status_code, found.json()["id"]) == (200, "j1")
    assert desk.asked[0][:3] == (act, "j1", f"{scope}-holder")


def test_the_ledger_is_listed_and_filtered() -> None:
    line = LedgerLine(9, NOON, "BookingSlow", Verdict.MERGED, "Merged into job j1.", "alertmanager", job="j1")
    desk = MemoryDesk(lines=[line])
    found = ask(desk, "GET", "/ledger?limit=1&verdict=merged&name=BookingSlow&before=10", "read").json()
    assert (found["before"], found["lines"][0]["verdict"], found["lines"][0]["job"]) == (9, "merged", "j1")
    assert desk.asked == [("ledger", 10, 1, Verdict.MERGED, "BookingSlow")]


def test_capacity_that_was_never_observed_is_not_zero() -> None:
    assert ask(MemoryDesk(), "GET", "/capacity", "read").json() == {
        "known": False, "wanted": None, "ready": None, "age_seconds": None, "stale": None, "allowed": None,
    }  # fmt: skip
    known = ask(MemoryDesk(known=Capacity(3, 2, 4.5, stale=True, allowed=5)), "GET", "/capacity", "read")
    assert known.json() == {
        "known": True, "wanted": 3, "ready": 2, "age_seconds": 4.5, "stale": True, "allowed": 5,
    }  # fmt: skip


def test_the_plan_says_what_it_wants_and_whether_it_will_be_ready() -> None:
    desk = MemoryDesk()
    found = ask(desk, "GET", "/plan?hours=6", "read").json()
    assert (found["servers"], found["readiness"], found["alarm"], found["allowed"]) == (3, "ready 3 of 6", True, 5)
    assert found["hours"] == [{"at": "2026-11-25T12:00:00Z", "servers": 6, "reason": "opening"}]
    assert desk.asked == [("plan", 6)]


def test_the_brake_is_shown_and_set() -> None:
    desk = MemoryDesk(position=Brake(on=True, reason="storm", by="bob", since=NOON))
    assert ask(desk, "GET", "/brake", "read").json()["reason"] == "storm"
    found = ask(desk, "PUT", "/brake", "operate", json={"on": True, "reason": "moving"})
    assert found.json() == {"on": True, "reason": "moving", "by": "operate-holder", "since": "2026-11-25T12:00:00Z"}


@pytest.mark.parametrize(
    ("desk", "status", "problems"),
    [
        (MemoryDesk(), 200, []),
        (MemoryDesk(well=Health(ready=True, problems=("No heartbeat.",))), 200, ["No heartbeat."]),
        (MemoryDesk(well=Health(ready=False, problems=("No worker.",))), 503, ["No worker."]),
        (failing(StoreUnavailable("The disk is full.")), 503, ["The disk is full."]),
    ],
)
def test_readiness_is_open_and_names_the_problems(desk: MemoryDesk, status: int, problems: list[str]) -> None:
    found = ask(desk, "GET", "/readyz", None)
    assert (found.status_code, found.json()) == (status, {"ready": status == 200, "problems": problems})


def test_the_process_says_that_it_lives_whatever_the_store_does() -> None:
    assert ask(failing(StoreUnavailable("Gone.")), "GET", "/healthz", None).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Refused("Not now."), (409, "refused")),
        (InvalidRequest("There is no action 'x'."), (422, "invalid_request")),
        (NotFound("There is no job."), (404, "not_found")),
        (StoreUnavailable("The disk is full."), (503, "store_unavailable")),
        (RuntimeError("a secret of ours"), (500, "internal")),
    ],
)
def test_what_the_desk_raises_becomes_the_one_shape(error: Exception, expected: tuple[int, str]) -> None:
    found = ask(failing(error), "POST", "/jobs/j1/cancel", "operate")
    assert error_of(found) == expected
    assert "secret" not in found.text
    assert ("retry-after" in found.headers) == (found.status_code == 503)


@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/nowhere", {}, (404, "not_found")),
        ("GET", "/jobs/", {}, (404, "not_found")),
        ("GET", "/docs", {}, (404, "not_found")),
        ("DELETE", "/jobs/j1", {}, (405, "method_not_allowed")),
        ("GET", "/alerts", {}, (405, "method_not_allowed")),
        ("POST", "/healthz", {}, (405, "method_not_allowed")),
        ("GET", "/jobs?limit=0", {}, (422, "invalid_request")),
        ("GET", "/jobs?state=asleep", {}, (422, "invalid_request")),
        ("GET", "/ledger?name=%00", {}, (422, "invalid_request")),
        ("GET", "/ledger?before=99999999999999999999", {}, (422, "invalid_request")),
        ("GET", "/jobs/%00", {}, (422, "invalid_request")),
        ("POST", "/jobs", {"content": b"{", **JSON}, (400, "bad_request")),
        ("POST", "/jobs", {"json": {"action": "scale_out", "surprise": 1}}, (422, "invalid_request")),
        ("POST", "/jobs", {"content": b'{"action":"x","variables":{"a":"\\ud800"}}', **JSON}, (422, "invalid_request")),
        ("PUT", "/brake", {"json": {"on": "yes"}}, (422, "invalid_request")),
        ("POST", "/jobs", {"content": b"x" * 70_000}, (413, "too_large")),
    ],
)
def test_what_is_not_understood_becomes_the_one_shape_too(
    method: str, path: str, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    desk = MemoryDesk()
    assert error_of(ask(desk, method, path, **sent)) == expected
    assert desk.asked == []


def test_a_fault_at_the_door_itself_is_500_in_the_one_shape_and_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: bytes) -> None:
        raise RuntimeError("a secret of ours")

    found = ask(house(MemoryDesk(), identify=broken), "GET", "/jobs")
    assert error_of(found) == (500, "internal")
    assert "secret" not in found.text
    assert "event=fault path=/jobs" in caplog.text


@pytest.mark.parametrize(
    ("path", "allowed"), [("/jobs", "GET, POST"), ("/brake", "GET, PUT"), ("/alerts", "POST"), ("/jobs/j1", "GET")]
)
def test_a_method_that_is_not_taken_is_answered_with_all_that_are(path: str, allowed: str) -> None:
    assert ask(MemoryDesk(), "DELETE", path).headers["allow"] == allowed


def test_alerts_are_taken_past_the_gate_and_refused_as_it_refuses() -> None:
    body = {"version": "4", "alerts": [{
        "status": "firing", "labels": {"alertname": "X"}, "startsAt": "2026-11-25T08:00:00Z", "fingerprint": "f",
    }]}  # fmt: skip
    front = house(MemoryDesk())
    assert ask(front, "POST", "/alerts", "alerts", json=body).json() == {"alerts": 1}
    assert error_of(ask(front, "POST", "/alerts", None, json=body)) == (401, "unauthorised")
    assert error_of(ask(front, "POST", "/alerts", "guessed", json=body)) == (401, "unauthorised")
    assert error_of(ask(front, "POST", "/alerts", "read", json=body)) == (403, "forbidden")
    counted = ask(front, "GET", "/metrics", "read").text
    assert 'understudy_runner_http_requests_total{method="POST",route="/alerts",status="202"} 1.0' in counted
    assert "understudy_runner_intake_seconds_count 4.0" in counted
