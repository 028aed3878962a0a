"""What the intake answers, and what is in the store by then."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from runner.errors import StoreUnavailable
from runner.store import group_commit, inbox
from runner.store.engine import Store, open_store
from runner.web.intake import LARGEST_BODY, create_intake
from tests.integration.runner.intake_examples import HEADERS, delivery
from tests.integration.runner.intakes import HOLDERS, NOON, Running, post, run, serving, until


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    with serving(store) as found:
        yield found


def test_a_delivery_is_answered_with_its_count_kept_as_it_came_and_the_worker_woken(running: Running) -> None:
    async def work() -> None:
        found = await post(running.intake, delivery(alerts=3))
        assert (found.status, found.body) == (202, {"alerts": 3})

    run(work)
    assert running.bodies() == [delivery(alerts=3)]
    with running.store.read() as connection:
        (kept,) = inbox.unjudged(connection, 1)
    assert (kept.token, kept.received_at, kept.content_type) == ("colo", NOON, "application/json")
    assert running.writer.close()
    assert running.woken == [1]


def test_a_body_in_pieces_is_put_together(running: Running) -> None:
    async def work() -> None:
        whole = delivery(alerts=2)
        assert (await post(running.intake, whole[:7], b"", whole[7:])).status == 202
        assert running.bodies() == [whole]

    run(work)


@pytest.mark.parametrize(
    ("status", "code", "pieces", "other"),
    [
        (400, "invalid_request", (b"{",), {}),
        (400, "invalid_request", (b'{"version":"5","alerts":[]}',), {}),
        (401, "unauthorised", (delivery(),), {"headers": {"content-type": "application/json"}}),
        (401, "unauthorised", (delivery(),), {"headers": HEADERS | {"authorization": "Basic good"}}),
        (401, "unauthorised", (delivery(),), {"headers": HEADERS | {"authorization": "Bearer"}}),
        (401, "unauthorised", (delivery(),), {"headers": HEADERS | {"authorization": "Bearer bad"}}),
        (403, "forbidden", (delivery(),), {"headers": HEADERS | {"authorization": "Bearer curious"}}),
        (405, "method_not_allowed", (b"",), {"method": "GET"}),
        (413, "too_large", (b"",), {"headers": HEADERS | {"content-length": str(LARGEST_BODY + 1)}}),
        (413, "too_large", (b" " * (LARGEST_BODY + 1),), {}),
        (413, "too_large", (b" " * LARGEST_BODY, b" ", b" "), {}),
        (415, "unsupported_media_type", (delivery(),), {"headers": HEADERS | {"content-type": "text/plain"}}),
        (415, "unsupported_media_type", (delivery(),), {"headers": {"authorization": "Bearer good"}}),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence_and_not_kept(
    running: Running, status: int, code: str, pieces: tuple[bytes, ...], other: dict[str, Any]
) -> None:
    async def work() -> None:
        found = await post(running.intake, *pieces, **other)
        assert (found.status, found.body["error"]["code"]) == (status, code)
        assert found.body["error"]["message"].endswith((".", "again.", "."))
        assert "good" not in found.body["error"]["message"]

    run(work)
    assert running.bodies() == []


def test_a_fault_of_ours_is_500_without_its_words_and_the_status_and_time_of_each_answer_are_observed() -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("a secret of ours")

    seen: list[tuple[int, float]] = []
    intake = create_intake(HOLDERS.get, broken, lambda status, seconds: seen.append((status, seconds)))

    async def work() -> None:
        found = await post(intake, delivery())
        assert (found.status, found.body["error"]["code"]) == (500, "internal")
        assert "secret" not in found.body["error"]["message"]
        assert (await post(intake, delivery(), headers={})).status == 401

    run(work)
    assert [status for status, _ in seen] == [500, 401]
    assert all(seconds >= 0 for _, seconds in seen)


def test_the_largest_body_is_taken(running: Running) -> None:
    async def work() -> None:
        body = delivery() + b" " * (LARGEST_BODY - len(delivery()))
        length = {"content-length": str(LARGEST_BODY)}
        assert (await post(running.intake, body, headers=HEADERS | length)).status == 202
        assert (await post(running.intake, body[:-1], body[-1:])).status == 202

    run(work)


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(running: Running) -> None:
    async def work() -> None:
        found = await post(running.intake, delivery(), stays=False)
        assert found.status == 0

    run(work)
    assert running.bodies() == []


def test_nothing_is_answered_before_its_commit_and_what_waited_shares_the_next_one(sqlite_store: Store) -> None:
    async def work() -> None:
        with sqlite_store.write():  # the writer waits for us
            requests = [asyncio.create_task(post(found.intake, delivery(number))) for number in range(50)]
            await until(lambda: len(found.offered) == 50)
            assert not any(request.done() for request in requests)
        answers = await asyncio.gather(*requests)
        assert [each.status for each in answers] == [202] * 50

    with serving(sqlite_store) as found:
        run(work)
        assert sorted(found.bodies()) == sorted(delivery(number) for number in range(50))
        assert found.writer.counts.kept == 50
        assert found.writer.counts.commits <= 3


def test_a_sender_that_left_before_the_commit_disturbs_nobody(sqlite_store: Store) -> None:
    async def work() -> None:
        with sqlite_store.write():
            gone, stays = (asyncio.create_task(post(found.intake, delivery(number))) for number in range(2))
            await until(lambda: len(found.offered) == 2)
            gone.cancel()
        assert (await stays).status == 202

    with serving(sqlite_store) as found:
        run(work)


def test_a_full_disk_is_503_and_nothing_is_kept_until_there_is_room_again(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    pages = [0]

    def limit(connection: Any, *_: object) -> None:
        if pages[0]:
            connection.execute(f"PRAGMA max_page_count={pages[0]}")

    sqlalchemy.event.listen(store.engine, "checkout", limit)

    async def work() -> None:
        big = delivery() + b" " * 500_000
        pages[0] = 1  # SQLite takes the size it has now
        refused = await post(found.intake, big)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.body["error"]["code"] == "store_unavailable"
        assert "full" in refused.body["error"]["message"]
        assert found.bodies() == []
        pages[0] = 1_000_000
        assert (await post(found.intake, big)).status == 202
        assert found.bodies() == [big]

    with serving(store) as found:
        run(work)
        assert (found.writer.counts.kept, found.writer.counts.failed) == (1, 1)
    store.close()


def test_a_store_that_has_gone_is_503() -> None:
    @dataclasses.dataclass(frozen=True)
    class Gone:
        error: Exception

        def write(self) -> None:
            raise self.error

    async def work() -> None:
        refused = await post(found.intake, delivery())
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert "secret" not in refused.body["error"]["message"]

    for error in (StoreUnavailable("The store has gone; repeat it."), RuntimeError("a secret of ours")):
        with serving(Gone(error)) as found:  # type: ignore[arg-type]
            run(work)
            assert found.woken == []


def test_when_too_much_waits_the_rest_is_503_and_after_that_all_is_well(sqlite_store: Store) -> None:
    async def work() -> None:
        body = delivery() + b" " * (LARGEST_BODY - len(delivery()))
        room = group_commit.MOST_BYTES // LARGEST_BODY
        with sqlite_store.write():
            requests = [asyncio.create_task(post(found.intake, body)) for _ in range(room + 5)]
            await until(lambda: sum(request.done() for request in requests) == 5)
        answers = sorted(each.status for each in await asyncio.gather(*requests))
        assert answers == [202] * room + [503] * 5
        assert (await post(found.intake, body)).status == 202

    with serving(sqlite_store) as found:
        run(work)
        assert (found.writer.counts.kept, found.writer.counts.refused) == (65, 5)


def test_a_closed_writer_commits_what_waits_and_takes_nothing_more(sqlite_store: Store) -> None:
    async def work() -> None:
        with sqlite_store.write():
            request = asyncio.create_task(post(found.intake, delivery()))
            await until(lambda: len(found.offered) == 1)
            closing = threading.Thread(target=found.writer.close)
            closing.start()
        assert (await request).status == 202
        closing.join()
        assert (await post(found.intake, delivery(1))).status == 503

    with serving(sqlite_store) as found:
        run(work)
