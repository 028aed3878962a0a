"""A customer repeats what must be repeated, at another address or when told, and never for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from random import Random

import pytest
from booking.crowd.addresses import AddressBook, pinned
from booking.crowd.browser import Browser, Surroundings
from booking.crowd.errors import CrowdError, NoProperAnswerError, StillWaitingError
from booking.crowd.retrying import Verdict, judge, pause_seconds
from booking.crowd.tally import Tally
from booking.crowd.wire import NO_CONNECTION, Reply, cookie_of

FIRST, SECOND = "192.0.2.1", "192.0.2.2"


class Time:
    """A clock that only moves when somebody sleeps or waits for an answer."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Script:
    """Answers as written; the last answer for ever. Keeps what was asked."""

    def __init__(self, time: Time, *answers: Reply) -> None:
        self._time = time
        self._answers = list(answers)
        self.asked: list[tuple[str, str, str, dict[str, str], bytes | None]] = []

    async def send(
        self, address: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        self._time.now += 0.1
        self.asked.append((address, method, target, dict(headers), body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return Reply(answer.status, answer.headers, answer.body, address, target, answer.cookies, answer.silence)


def answer(status: int, body: object = None, *cookies: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"Content-Type": "application/json"} | named, json.dumps(body).encode(), "", "", cookies)


SILENCE = Reply(0, {}, b"refused", "", silence=NO_CONNECTION)


class Scene:
    """One browser with a scripted site."""

    def __init__(self, *answers: Reply, language: str = "ko") -> None:
        self.time = Time()
        self.wire = Script(self.time, *answers)
        self.tally = Tally()
        self.language = language
        self.end: Reply | CrowdError | None = None
        self.longest_wait_s = 0.0

    async def _play(self, act: str, *arguments: object, **named: str) -> None:
        async with AddressBook(pinned([FIRST, SECOND])) as book:
            around = Surroundings(
                self.wire, "https://site.test", book, self.tally, Random(1), self.time, self.time.sleep, 60.0
            )
            browser = Browser(around, self.language)
            try:
                self.end = await getattr(browser, act)(*arguments, **named)
            except CrowdError as error:
                self.end = error
            self.longest_wait_s = browser.longest_wait_s

    def play(self, act: str, *arguments: object, **named: str) -> Scene:
        asyncio.run(self._play(act, *arguments, **named))
        return self


def test_a_purchase_is_repeated_unchanged_at_another_address_after_a_broken_connection() -> None:
    scene = Scene(SILENCE, answer(201)).play("ask", "purchase", "POST", "/p", {"a": 1}, Idempotency_Key="k1")
    first, second = scene.wire.asked
    assert first[0] != second[0]
    assert first[1:] == second[1:]
    assert second[3]["Idempotency-Key"] == "k1"
    assert (scene.tally.total, scene.tally.retried, scene.tally.failed) == (1, 1, 0)
    assert scene.tally.statuses == {"connection": 1, "201": 1}


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_is_not_well_is_left_for_another_after_as_long_as_it_says(status: int) -> None:
    scene = Scene(answer(status, Retry_After="7"), answer(200)).play("ask", "seats", "GET", "/s")
    assert scene.wire.asked[0][0] != scene.wire.asked[1][0]
    assert 7.0 <= scene.time.now <= 8.0
    assert scene.longest_wait_s == scene.time.now
    assert scene.tally.retried == 1


def test_a_customer_who_is_told_to_wait_keeps_the_address_and_the_place_and_does_not_count_the_wait() -> None:
    waiting = answer(429, {"code": "waiting", "queue_ticket": "t-9", "retry_after_seconds": 5})
    scene = Scene(waiting, waiting, answer(200)).play("ask", "seats", "GET", "/s")
    assert len({asked[0] for asked in scene.wire.asked}) == 1
    assert "Queue-Ticket" not in scene.wire.asked[0][3]
    assert [asked[3].get("Queue-Ticket") for asked in scene.wire.asked[1:]] == ["t-9", "t-9"]
    assert scene.time.now > 10
    assert scene.tally.report()["requests"]["p99_ms"] == pytest.approx(300, abs=1)
    assert (scene.tally.waited, scene.tally.retried, scene.tally.failed) == (2, 0, 0)


def test_a_pending_purchase_that_stays_pending_is_no_failed_request() -> None:
    scene = Scene(answer(202, {"state": "pending", "retry_after_seconds": 4})).play("ask", "purchase", "POST", "/p", {})
    assert isinstance(scene.end, StillWaitingError)
    assert scene.end.status == 202
    assert (scene.tally.total, scene.tally.failed) == (1, 0)
    assert scene.time.now <= 60.1


def test_patience_ends_and_the_request_then_counts_as_failed_once() -> None:
    scene = Scene(SILENCE).play("ask", "seats", "GET", "/s")
    assert isinstance(scene.end, NoProperAnswerError)
    assert (scene.tally.total, scene.tally.failed) == (1, 1)
    assert scene.tally.retried == len(scene.wire.asked) - 1 > 20
    assert {asked[0] for asked in scene.wire.asked} == {FIRST, SECOND}
    assert scene.time.now <= 60.1


def test_an_error_of_the_server_is_not_repeated() -> None:
    scene = Scene(answer(500)).play("ask", "seats", "GET", "/s")
    assert isinstance(scene.end, NoProperAnswerError)
    assert len(scene.wire.asked) == 1
    assert scene.tally.failures[0]["why"].startswith("500")


@pytest.mark.parametrize("status", [200, 201, 402, 404, 409, 422])
def test_answers_that_say_something_are_proper(status: int) -> None:
    scene = Scene(answer(status)).play("ask", "seats", "GET", "/s")
    assert isinstance(scene.end, Reply)
    assert (scene.tally.total, scene.tally.failed) == (1, 0)


def test_a_form_is_sent_as_a_browser_does_and_its_redirect_followed_with_the_cookie() -> None:
    moved = answer(303, None, "session=abc; Path=/; HttpOnly", Location="https://site.test/holds/7?x=1")
    scene = Scene(moved, answer(200), language="en").play(
        "submit", "hold", "POST", "/holds", [("seat", "A1"), ("t", "&")]
    )
    sent, followed = scene.wire.asked
    assert sent[4] == b"seat=A1&t=%26"
    assert sent[3]["Origin"] == "https://site.test"
    assert sent[3]["Accept-Language"].startswith("en")
    assert followed[1:3] == ("GET", "/holds/7?x=1")
    assert followed[3]["Cookie"] == "session=abc"
    assert isinstance(scene.end, Reply)
    assert scene.end.target == "/holds/7?x=1"


def test_a_page_that_says_wait_is_left_for_the_page_that_it_leads_to() -> None:
    page = Reply(429, {"Retry-After": "1"}, b'<meta http-equiv="refresh" content="1; url=/queue?a=b">', "")
    scene = Scene(page, page, answer(200)).play("submit", "hold", "POST", "/screenings/1", [("seat", "A1")])
    assert [asked[1:3] for asked in scene.wire.asked] == [("POST", "/screenings/1"), *[("GET", "/queue?a=b")] * 2]
    assert scene.wire.asked[1][4] is None
    assert len({asked[0] for asked in scene.wire.asked}) == 1


def test_a_redirect_without_end_is_an_answer_that_no_customer_can_use() -> None:
    scene = Scene(answer(302, Location="/again")).play("visit", "start", "/")
    assert isinstance(scene.end, NoProperAnswerError)
    assert scene.tally.failed == 1


def test_a_withdrawn_cookie_is_forgotten_and_a_broken_one_ignored() -> None:
    assert cookie_of("a=b; Max-Age=0") == ("a", None)
    assert cookie_of("a=b; Max-Age=60; Secure") == ("a", "b")
    assert cookie_of("\x00") is None


def test_pauses_follow_the_header_then_the_body_then_grow_to_a_limit() -> None:
    json_type = {"Content-Type": "application/json"}
    assert 3 <= pause_seconds({"Retry-After": "3"}, b"", 1, Random(1)) <= 3.3
    assert 4 <= pause_seconds(json_type, b'{"error": {"retry_after_seconds": 4}}', 1, Random(1)) <= 4.4
    for odd in ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After": "soon"}, json_type):
        assert pause_seconds(odd, b"[]", 1, Random(1)) <= 0.4
    assert 1.0 <= pause_seconds({}, b"", 5000, Random(1)) <= 2.0


def test_every_status_has_its_verdict() -> None:
    assert [judge(s) for s in (200, 303, 404, 429, 202, 0, 502, 503, 504, 500, 501)] == [
        *[Verdict.PROPER] * 3,
        *[Verdict.WAIT] * 2,
        *[Verdict.REPEAT] * 4,
        *[Verdict.FAILED] * 2,
    ]
