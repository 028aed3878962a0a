"""A job is followed to its end, through connections that break."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any, cast

import httpx
from rich.console import Console

from runner.cli.following import MOST_FAILURES, Play
from runner.cli.session import Surroundings
from runner.cli.stream import Event, events
from tests.unit.runner.cli.desk import DECISION, JOB, NOW, Desk, event, problem, stream

ID = str(JOB["id"])
STREAM = f"GET /jobs/{ID}/events"
FAILED = JOB | {"state": "failed", "outcome": "Install failed on here: no."}


def stream_of(*told: dict[str, Any]) -> Iterator[Event]:
    return events(line for each in told for line in (f"data: {json.dumps(each)}", ""))


def lost(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection was reset")


def test_each_result_is_a_line_with_host_task_status_and_time(desk: Desk) -> None:
    story = [
        event(1, "state", text="queued: because."),
        event(2, "task", text="Install", task="Install"),
        event(5, "changed", host="colo-was1", task="Install"),
    ]
    desk.answers(STREAM, stream(*story, end=JOB))
    shown = desk.run("follow", ID)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[0].split() == ["08:41:51", "state", "queued:", "because."]
    assert lines[1].split() == ["08:41:55", "changed", "colo-was1", "Install", "3.0", "s"]
    assert lines[2] == f"job {ID}  succeeded  4 burst servers serve.  (21.5 s)"


def test_a_job_that_failed_is_exit_code_1(desk: Desk) -> None:
    desk.answers(STREAM, stream(event(1, "failed", host="here", task="Install", text="no"), end=FAILED))
    shown = desk.run("follow", ID)
    assert shown.code == 1
    assert "failed  Install failed on here: no." in shown.out


def test_json_is_one_event_on_each_line(desk: Desk) -> None:
    story = [event(1), event(2, "stats")]
    desk.answers(STREAM, stream(*story, end=JOB))
    shown = desk.run("follow", ID, "--json")
    assert [json.loads(line) for line in shown.out.splitlines()] == story


def test_after_a_lost_connection_it_goes_on_from_the_last_event(desk: Desk) -> None:
    desk.answers(STREAM, stream(event(1), event(2)), lost, stream(event(2), event(3), end=JOB))
    shown = desk.run("follow", ID, "--json")
    assert [json.loads(line)["number"] for line in shown.out.splitlines()] == [1, 2, 3]
    assert [each.headers.get("last-event-id") for each in desk.asked] == [None, "2", "2"]
    assert len(desk.waits) == 2
    assert shown.code == 0


def test_a_runner_that_restarts_is_waited_for(desk: Desk) -> None:
    away = problem(503, "store_unavailable", "The store cannot be used now.")
    desk.answers(STREAM, *[away] * (MOST_FAILURES - 1), stream(event(1), end=JOB))
    assert desk.run("follow", ID).code == 0


def test_one_that_stays_away_is_exit_code_3(desk: Desk) -> None:
    desk.answers(STREAM, lost)
    shown = desk.run("follow", ID)
    assert shown.code == 3
    assert "http://runner:8700 cannot be reached" in shown.err
    assert len(desk.asked) == MOST_FAILURES + 1


def test_a_job_that_is_not_there_is_said_at_once(desk: Desk) -> None:
    desk.answers(STREAM, problem(404, "not_found", "There is no job."))
    assert desk.run("follow", ID).code == 1
    assert desk.waits == []


def test_a_terminal_shows_the_task_that_runs_now_with_its_time() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    around = Surroundings({}, clock=lambda: NOW, zone=UTC)
    play = Play(around, screen)
    with play.shown():
        play.tell(next(stream_of(event(2, "task", text="Install", task="Install"))))
        screen.print(play.now())
    shown = cast("io.StringIO", screen.file).getvalue()
    assert "Install  18.0 s" in shown


def test_submit_follows_the_job_that_it_made(desk: Desk) -> None:
    desk.answers("POST /jobs", httpx.Response(201, json={"decision": DECISION, "job": JOB | {"state": "queued"}}))
    desk.answers(STREAM, stream(event(1), end=FAILED))
    shown = desk.run("submit", "scale_out", "wanted_servers=4", "--follow")
    assert shown.code == 1
    assert "Install failed on here" in shown.out
