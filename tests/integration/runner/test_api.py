"""The API over its real store, served by the real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner import tokens
from runner.model import Capacity, Ending, JobEvent, JobState
from runner.service import progress
from runner.service.wake import Bell
from runner.store import capacity, events, heartbeats, jobs, nodes
from tests.integration.runner.houses import DEADLINE_SECONDS, WANT, House, stream, submit
from tests.integration.runner.intake_examples import delivery
from tests.integration.runner.waiting import until


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    found.start()
    yield found.ready()
    found.kill()


def now() -> datetime:
    return datetime.now(UTC)


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_wish_becomes_a_job_with_its_reason_and_the_worker_is_woken(house: House) -> None:
    bell = Bell(house.folder / "state")
    job = submit(house)
    assert bell.wait(20)
    bell.close()
    assert (job["state"], job["requested_by"]) == ("queued", "ann")
    assert house.ask("GET", f"/jobs/{job['id']}").json() == job
    assert house.ask("GET", "/jobs?state=queued").json()["jobs"] == [job]
    assert house.ask("GET", "/jobs?state=running").json()["jobs"] == []
    line = house.ask("GET", "/ledger?name=scale_out").json()["lines"][0]
    assert (line["verdict"], line["source"], line["job"]) == ("run", "wish of ann", job["id"])
    again = house.ask("POST", "/jobs", json=WANT)
    assert (again.status_code, again.json()["job"]["id"]) == (200, job["id"])
    assert house.ask("POST", f"/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert code(house.ask("POST", f"/jobs/{job['id']}/cancel")) == (409, "refused")
    assert house.ask("POST", f"/jobs/{job['id']}/acknowledge").json()["acknowledged_by"] == "ann"


def test_pages_of_jobs_and_of_the_ledger_follow_one_another_without_gaps(house: House) -> None:
    made = [submit(house, variables={"wanted_servers": count})["id"] for count in (4, 5, 6)]
    for path, listed in (("/jobs", "jobs"), ("/ledger", "lines")):
        seen: list[str] = []
        before: str | None = ""
        while before is not None:
            page = house.ask("GET", path, params={"limit": 1} | ({"before": before} if before else {})).json()
            seen += [each.get("job") or each["id"] for each in page[listed]]
            before = page["before"]
        assert seen == made[::-1]
    assert code(house.ask("GET", "/jobs?before=never-there")) == (404, "not_found")


def test_what_needs_two_people_waits_for_two_others(house: House) -> None:
    house.add_token("cid", ["approve"])
    asked = house.ask("POST", "/jobs", json={"action": "bake_image"})
    assert (asked.status_code, asked.json()["job"]["state"]) == (202, "waiting")
    path = f"/jobs/{asked.json()['job']['id']}"
    assert code(house.ask("POST", f"{path}/approve", "ann")) == (403, "forbidden")
    assert house.ask("POST", f"{path}/approve", "bob").json()["state"] == "waiting"
    assert house.ask("POST", f"{path}/approve", "bob").json()["approved_by"] == ["bob"]
    assert house.ask("POST", f"{path}/approve", "cid").json()["state"] == "queued"
    assert code(house.ask("POST", f"{path}/reject", "bob", json={"reason": "Late."})) == (409, "refused")


def test_the_brake_holds_a_wish_that_does_not_insist_and_lets_one_through_that_does(house: House) -> None:
    assert code(house.ask("PUT", "/brake", json={"on": True})) == (409, "refused")
    assert code(house.ask("PUT", "/brake", "bob", json={"on": True, "reason": "x"})) == (403, "forbidden")
    assert house.ask("PUT", "/brake", json={"on": True, "reason": "storm"}).json()["by"] == "ann"
    held = house.ask("POST", "/jobs", json=WANT)
    assert code(held) == (409, "held")
    assert "storm" in held.json()["error"]["message"]
    assert house.ask("GET", "/ledger?verdict=held").json()["lines"][0]["reason"] == held.json()["error"]["message"]
    submit(house, insist=True)
    assert house.ask("PUT", "/brake", json={"on": False}).json()["on"] is False
    submit(house, variables={"wanted_servers": 7})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"action": "dance"}, (422, "invalid_request")),
        ({"action": "scale_out"}, (422, "invalid_request")),
        ({"action": "scale_out", "variables": {"wanted_servers": True}}, (422, "invalid_request")),
        ({"action": "scale_in", "variables": {"wanted_servers": 1}}, (409, "refused")),
    ],
)
def test_a_wish_that_makes_no_sense_or_is_not_safe_is_refused(
    house: House, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert code(house.ask("POST", "/jobs", json=body)) == expected
    assert house.ask("GET", "/jobs").json()["jobs"] == []


def test_tokens_come_and_go_without_a_restart_and_mean_the_same_to_alerts_and_questions(house: House) -> None:
    sent: dict[str, Any] = {"content": delivery(), "headers": {"content-type": "application/json"}}
    asked = [("POST", "/alerts", sent), ("GET", "/jobs", {})]
    for method, path, more in asked:
        assert code(house.ask(method, path, "guessed", **more)) == (401, "unauthorised")
    assert code(house.ask("POST", "/alerts", "ann", **sent)) == (403, "forbidden")
    assert code(house.ask("GET", "/jobs", "eve")) == (403, "forbidden")
    house.add_token("dan", ["admin"])
    assert [house.ask(method, path, "dan", **more).status_code for method, path, more in asked] == [202, 200]
    tokens.save(house.tokens_file, tokens.removed(tokens.load(house.tokens_file), "dan"))
    for method, path, more in asked:
        assert code(house.ask(method, path, "dan", **more)) == (401, "unauthorised")
    ended = tokens.added(
        tokens.load(house.tokens_file), "old", ["admin"], house.keys["dan"], now() - timedelta(minutes=1)
    )
    tokens.save(house.tokens_file, ended)
    for method, path, more in asked:
        assert code(house.ask(method, path, "dan", **more)) == (401, "unauthorised")


def test_without_a_known_token_every_address_of_the_document_but_two_answers_401(house: House) -> None:
    document = house.ask("GET", "/openapi.json").json()
    tried = {
        (method, path): [
            house.ask(method, path.replace("{job_id}", "j1"), name, json={}).status_code for name in (None, "guessed")
        ]
        for path, methods in document["paths"].items()
        for method in methods
    }
    open_to_all = {("get", "/healthz"), ("get", "/readyz")}
    assert len(tried) > len(open_to_all)
    assert {each for each, statuses in tried.items() if statuses != [401, 401]} == open_to_all


def test_readiness_follows_the_worker_the_heartbeat_and_the_rules(house: House) -> None:
    assert house.ask("GET", "/readyz", None).status_code == 503
    store = house.open()
    with store.write() as connection:
        nodes.enrol(connection, "one", now(), now() + timedelta(hours=1))
        heartbeats.seen(connection, "Watchdog", now())
    store.close()
    ready = house.ask("GET", "/readyz", None)
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "problems": []})
    (house.folder / "policies.yml").write_text("policies: [{name: x}]")
    broken = house.ask("GET", "/readyz", None)
    assert (broken.status_code, len(broken.json()["problems"])) == (200, 1)
    assert "policies.yml" in broken.json()["problems"][0]
    assert "understudy_runner_rules_refused 1.0" in house.ask("GET", "/metrics").text
    assert house.ask("POST", "/jobs", json={"action": "bake_image"}).status_code == 202  # by the old rules


def test_the_metrics_show_what_the_store_holds(house: House) -> None:
    submit(house)
    for number in range(3):
        house.ask("POST", "/alerts", "eve", content=delivery(number), headers={"content-type": "application/json"})
    store = house.open()
    with store.write() as connection:
        capacity.put(connection, Capacity(4, 3, 0.0, stale=False), now())
        heartbeats.seen(connection, "Watchdog", now())
    store.close()
    found = house.ask("GET", "/metrics").text
    for line in (
        'jobs{state="queued"} 1.0', 'ledger_entries{verdict="run"} 1.0', "deliveries_unjudged 3.0",
        "capacity_wanted_servers 4.0", "capacity_ready_servers 3.0", "brake_on 0.0", "workers_alive 0.0",
        'heartbeat_age_seconds{alertname="Watchdog"}', "intake_seconds_count 3.0", "notifications_pending 0.0",
    ):  # fmt: skip
        assert f"\nunderstudy_runner_{line}" in found, line


def test_a_story_is_followed_while_it_happens_and_resumed_where_it_broke_off(house: House) -> None:
    job_id = submit(house)["id"]
    store = house.open()

    def tell(text: str) -> None:
        with store.write() as connection:
            events.append(connection, job_id, [JobEvent(job_id, 0, now(), "task", text)])

    first = stream(house, job_id)
    assert next(first)[0] == "1"
    tell("Create the servers")
    assert next(first)[0] == "2"
    assert "understudy_runner_followers 1.0" in house.ask("GET", "/metrics").text
    first.close()  # type: ignore[attr-defined]
    until(
        lambda: "understudy_runner_followers 0.0" in house.ask("GET", "/metrics").text,
        DEADLINE_SECONDS, "the server sees who left",
    )  # fmt: skip
    tell("Wait for the servers")
    second = stream(house, job_id, last="2")
    number, data = next(second)
    assert (number, json.loads(data)["text"]) == ("3", "Wait for the servers")
    with store.write() as connection:
        holder = progress.Holder("one", nodes.enrol(connection, "one", now(), now() + timedelta(hours=1)))
        jobs.move(connection, job_id, {JobState.QUEUED}, JobState.RUNNING, node="one", started_at=now())
    progress.finish(store, job_id, progress.Told(Ending.SUCCEEDED, "4 serve.", 1), holder, now())
    store.close()
    rest = list(second)
    assert [each for each, _ in rest] == ["4", "end"]
    assert json.loads(rest[-1][1])["outcome"] == "4 serve."
    assert [each for each, _ in stream(house, job_id, last="4")] == ["end"]


def test_many_followers_leave_the_api_free(house: House) -> None:
    job_id = submit(house)["id"]
    heard: list[str | None] = []

    def listen() -> None:
        heard.append(next(stream(house, job_id))[0])

    listeners = [threading.Thread(target=listen) for _ in range(60)]
    for each in listeners:
        each.start()
    assert house.ask("GET", "/jobs").status_code == 200
    for each in listeners:
        each.join(30)
    assert heard == ["1"] * 60
