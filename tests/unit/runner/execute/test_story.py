from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.execute.request import PlaybookEvent
from runner.execute.scrub import scrubber
from runner.execute.story import LONGEST_TEXT, Story

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def told(*events: dict[str, Any]) -> tuple[Story, list[PlaybookEvent]]:
    seen: list[PlaybookEvent] = []
    story = Story(seen.append, scrubber(["hunter2-hunter2"]), lambda: NOW)
    for event in events:
        story.take(event)
    return story, seen


def result(event: str, **result: object) -> dict[str, Any]:
    return {"event": event, "event_data": {"host": "was1", "task": "Build", "res": result}}


def test_what_no_log_hides_stays_hidden() -> None:
    _, seen = told(result("runner_on_ok", censored="x", msg="hunter1"))
    assert seen[0].text == "hidden by no_log"


def test_a_secret_is_hidden_before_the_text_is_cut() -> None:
    _, seen = told(result("runner_on_ok", msg="x" * (LONGEST_TEXT - 8) + "hunter2-hunter2"))
    assert "hunter2" not in seen[0].text
    assert len(seen[0].text) <= LONGEST_TEXT


def test_an_ignored_failure_is_told_and_is_no_trouble() -> None:
    event = result("runner_on_failed", msg="oh")
    event["event_data"]["ignore_errors"] = True
    story, seen = told(event)
    assert seen[0].kind == "failed"
    assert story.trouble == ""


def test_the_first_failure_is_the_trouble() -> None:
    story, _ = told(result("runner_on_failed", msg="first"), result("runner_on_failed", msg="second"))
    assert story.trouble == "Build failed on was1: first"


def on(host: str, event: str, msg: str) -> dict[str, Any]:
    return {"event": event, "event_data": {"host": host, "task": "Build", "res": {"msg": msg}}}


def test_what_was_ignored_or_rescued_is_not_the_trouble_and_what_ended_a_host_is() -> None:
    counts = {
        "ok": {"was1": 3, "edge1": 1, "was2": 2},
        "failures": {"was1": 1},
        "ignored": {"edge1": 1},
        "rescued": {"was2": 1},
    }
    happened = (
        on("edge1", "runner_on_unreachable", "no route"),
        on("was2", "runner_on_failed", "rescued"),
        on("was1", "runner_on_failed", "rescued, too"),
        on("was1", "runner_on_failed", "the end"),
    )
    story, _ = told(*happened, {"event": "playbook_on_stats", "event_data": counts})
    assert story.trouble == "Build failed on was1: the end"
    well, _ = told(*happened[:2], {"event": "playbook_on_stats", "event_data": {"ok": {"edge1": 1}}})
    assert well.trouble == ""
    dark, _ = told(*happened[:2], {"event": "playbook_on_stats", "event_data": {"dark": {"edge1": 1}}})
    assert dark.trouble == "Build unreachable on edge1: no route"


def test_only_scalars_are_results_and_they_are_scrubbed() -> None:
    data = {"ok": {"was1": 1}, "artifact_data": {"n": 1, "list": [1], "word": "hunter2-hunter2"}}
    story, _ = told({"event": "playbook_on_stats", "event_data": data})
    assert story.results == {"n": 1, "word": "***"}
    assert story.counts["was1"]["ok"] == 1


def test_an_unreachable_host_did_not_run_anything() -> None:
    assert not told(result("runner_on_unreachable", msg="no route"))[0].ran_somewhere
    assert told(result("runner_on_skipped"))[0].ran_somewhere
