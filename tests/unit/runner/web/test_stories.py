"""Following a job's story: what a follower gets, and what many followers cost."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runner.errors import NotFound, StoreUnavailable
from runner.model import Job, JobState
from runner.web import stories
from runner.web.stories import Pace, Stories
from tests.unit.runner.web.desks import QUICK, MemoryDesk, ask, event, house, job

DEADLINE_SECONDS = 20.0


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await work()

    asyncio.run(limited())


def parsed(text: str) -> list[dict[str, Any]]:
    """Return the events of a stream: id, event and data, read."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


def ended(*numbers: int, state: JobState = JobState.SUCCEEDED) -> MemoryDesk:
    return MemoryDesk({"j1": job(state=state, outcome="4 serve.")}, [event(number) for number in numbers])


@pytest.mark.parametrize("asking", [{"headers": {"Accept": "text/event-stream"}}, {"params": {"follow": "true"}}])
def test_a_story_is_told_in_order_and_ends_with_the_job(asking: dict[str, Any]) -> None:
    found = ask(ended(1, 2, 3), "GET", "/jobs/j1/events", "read", **asking)
    assert found.headers["content-type"].startswith("text/event-stream")
    assert found.headers["cache-control"] == "no-store"
    told = parsed(found.text)
    assert [each.get("id") for each in told] == ["1", "2", "3", None]
    assert told[0]["data"]["text"] == "Create the server"
    assert (told[-1]["event"], told[-1]["data"]["state"]) == ("end", "succeeded")


def test_a_follower_that_comes_back_goes_on_where_it_was() -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "2"}
    told = parsed(ask(ended(1, 2, 3), "GET", "/jobs/j1/events?after=1", "read", headers=headers).text)
    assert [each.get("id") for each in told] == ["3", None]


def test_a_story_longer_than_a_page_is_told_whole() -> None:
    numbers = range(1, 2 * stories.PAGE + 2)
    told = parsed(ask(ended(*numbers), "GET", "/jobs/j1/events?follow=true", "read").text)
    assert [each.get("id") for each in told] == [*map(str, numbers), None]


def test_without_following_the_story_is_a_list() -> None:
    desk = ended(1, 2, 3)
    found = ask(desk, "GET", "/jobs/j1/events?after=1&limit=1", "read")
    assert [each["number"] for each in found.json()] == [2]
    assert desk.asked == [("events", "j1", 1, 1)]


@pytest.mark.parametrize(
    ("path", "status"), [("/jobs/j9/events?follow=true", 404), ("/jobs/j1/events?follow=maybe", 422)]
)
def test_what_cannot_be_followed_is_refused_before_a_stream_begins(path: str, status: int) -> None:
    assert ask(ended(), "GET", path, "read").status_code == status


def test_where_to_go_on_must_be_a_number() -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "soon"}
    assert ask(ended(), "GET", "/jobs/j1/events", "read", headers=headers).status_code == 422


def test_what_happens_is_told_and_silence_is_filled_with_comments() -> None:
    desk = MemoryDesk(story=[event(1)])

    async def work() -> None:
        stream = Stories(desk, QUICK).follow("j1", 0)
        assert await anext(stream) == stories.BEGINNING
        assert "id: 1\n" in await anext(stream)
        assert await anext(stream) == stories.HEARTBEAT
        desk.story.append(event(2))
        while (text := await anext(stream)) == stories.HEARTBEAT:
            pass
        assert "id: 2\n" in text
        desk.held["j1"] = job(state=JobState.FAILED)
        while (text := await anext(stream)) == stories.HEARTBEAT:
            pass
        assert text.startswith("event: end\n")
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(work)


def test_an_outage_of_the_store_interrupts_nobody() -> None:
    desk = ended(1)
    desk.error = StoreUnavailable("The disk is full.")

    async def work() -> None:
        stream = Stories(desk, QUICK).follow("j1", 0)
        assert await anext(stream) == stories.BEGINNING
        assert await anext(stream) == stories.HEARTBEAT
        desk.error = None
        while (text := await anext(stream)) == stories.HEARTBEAT:
            pass
        assert "id: 1\n" in text

    run(work)


def test_a_stream_ends_when_its_job_is_forgotten_when_its_time_is_over_and_when_the_server_stops() -> None:
    async def all_of(stream: Any) -> list[str]:
        return [text async for text in stream if text != stories.HEARTBEAT]

    async def work() -> None:
        gone = MemoryDesk(error=NotFound("There is no job."))
        assert await all_of(Stories(gone, QUICK).follow("j1", 0)) == [stories.BEGINNING]
        short = dataclasses.replace(QUICK, longest_stream_seconds=0.01)
        assert await all_of(Stories(MemoryDesk(), short).follow("j1", 0)) == [stories.BEGINNING]
        waiting = Stories(MemoryDesk(), Pace(shortest_seconds=3600, longest_seconds=3600))
        listening = asyncio.create_task(all_of(waiting.follow("j1", 0)))
        while not waiting.followers:
            await asyncio.sleep(0)
        waiting.hang_up()
        assert await listening == [stories.BEGINNING]
        assert waiting.followers == 0

    run(work)


class SlowDesk(MemoryDesk):
    """Answers followers only when it is let; counts how many ask at once."""

    def __init__(self) -> None:
        super().__init__()
        self.let, self.asking, self.most = threading.Event(), 0, 0
        self.lock = threading.Lock()

    def job(self, job_id: str) -> Job:
        if not threading.current_thread().name.startswith("stories"):
            return super().job(job_id)
        with self.lock:
            self.asking += 1
            self.most = max(self.most, self.asking)
        assert self.let.wait(DEADLINE_SECONDS)
        with self.lock:
            self.asking -= 1
        return super().job(job_id)


def test_many_followers_of_a_slow_store_share_a_few_threads_and_leave_the_rest_alone() -> None:
    desk = SlowDesk()
    desk.held["j1"] = job(state=JobState.SUCCEEDED)
    front = house(desk)

    async def get(path: str) -> int:
        status, bodies = 0, iter([b""])

        async def receive() -> dict[str, Any]:
            for body in bodies:
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.Event().wait()  # the follower stays
            raise AssertionError

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        head = [(b"authorization", b"Bearer read"), (b"accept", b"text/event-stream" if "events" in path else b"*/*")]
        scope = {"type": "http", "method": "GET", "path": path, "headers": head, "query_string": b"", "asgi": {}}
        await front(scope, receive, send)
        return status

    async def work() -> None:
        following = [asyncio.create_task(get("/jobs/j1/events")) for _ in range(stories.MOST_FOLLOWERS)]
        try:
            while desk.asking < stories.THREADS or not front._stories.full():
                await asyncio.sleep(0.001)
            assert [await get("/jobs"), await get("/capacity"), await get("/healthz")] == [200, 200, 200]
            assert await get("/jobs/j1/events") == 503
        finally:
            desk.let.set()
        assert set(await asyncio.gather(*following)) == {200}
        assert desk.most == stories.THREADS
        assert await get("/jobs/j1/events") == 200

    run(work)
