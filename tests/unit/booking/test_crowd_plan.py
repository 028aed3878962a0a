"""When customers come, who they are, and which seats they take."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from booking.crowd.plan import Surge, arrivals, parse_mix, parse_surge, rate_at
from booking.crowd.seating import choose, rows_of
from booking.crowd.wishes import APPROVED_CARD, DECLINED_CARD, Taste, invent
from hypothesis import given
from hypothesis import strategies as st

SEATS = st.sets(st.from_regex(r"[A-C][1-9]", fullmatch=True))


def test_customers_arrive_at_the_rate_and_more_of_them_in_a_surge() -> None:
    times = list(arrivals(20, [Surge(6, 100, 50)], 300, Random(1)))
    assert times == sorted(times)
    surge = sum(100 <= at < 150 for at in times)
    assert surge == pytest.approx(20 * 6 * 50, rel=0.1)
    assert len(times) - surge == pytest.approx(20 * 250, rel=0.1)
    assert max(times) < 300


def test_a_lull_is_a_surge_below_one_and_nobody_comes_at_rate_zero() -> None:
    assert sum(at >= 50 for at in arrivals(20, [Surge(0.1, 0, 50)], 100, Random(1))) > 700
    assert list(arrivals(0, [], 100, Random(1))) == []


def test_surges_that_overlap_multiply() -> None:
    surges = [Surge(2, 0, 10), Surge(3, 5, 10)]
    assert [rate_at(10, surges, at) for at in (0, 5, 9.9, 10, 15)] == [20, 60, 60, 30, 10]


def test_a_surge_is_read_from_the_command_line() -> None:
    assert parse_surge("6@30+20.5") == Surge(6, 30, 20.5)


@pytest.mark.parametrize("text", ["", "6", "6@30", "x@1+2", "0@1+2", "-1@1+2"])
def test_what_is_no_surge_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 6@30"):
        parse_surge(text)


def test_a_mix_is_read_as_shares_of_one() -> None:
    assert parse_mix("api=3, pages=1") == {"api": 0.75, "pages": 0.25}
    assert parse_mix("pages=1") == {"pages": 1.0}


@pytest.mark.parametrize("text", ["", "api", "api=x", "fax=1", "api=0,pages=0", "api=-1", "api=inf", "api=nan"])
def test_what_is_no_mix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mix|come"):
        parse_mix(text)


@given(SEATS, st.integers(1, 4), st.integers())
def test_chosen_seats_are_free_and_side_by_side_and_as_many_as_there_is_room_for(
    free: set[str], party: int, seed: int
) -> None:
    chosen = choose(free, party, Random(seed))
    longest = max((len(run) for run in rows_of(free)), default=0)
    assert len(chosen) == min(party, longest)
    assert set(chosen) <= free
    assert {seat[0] for seat in chosen} == ({chosen[0][0]} if chosen else set())
    numbers = [int(seat[1:]) for seat in chosen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


def test_seat_ten_is_the_neighbour_of_seat_nine_and_not_of_seat_one() -> None:
    assert rows_of(["A10", "A9", "A1", "B10"]) == [["A1"], ["A9", "A10"], ["B10"]]


def test_a_crowd_is_half_korean_and_mixed_as_asked() -> None:
    random, taste = Random(3), Taste({"api": 0.6, "pages": 0.4}, declined_share=0.1, contending_share=0.3)
    wishes = [invent(n, taste, random) for n in range(2000)]
    assert Counter(wish.language for wish in wishes)["ko"] == pytest.approx(1000, rel=0.1)
    assert Counter(wish.way for wish in wishes)["api"] == pytest.approx(1200, rel=0.1)
    cards = Counter(wish.card_token for wish in wishes)
    assert cards[DECLINED_CARD] == pytest.approx(200, rel=0.25)
    assert set(cards) == {APPROVED_CARD, DECLINED_CARD}
    assert {wish.party for wish in wishes} == {1, 2, 3, 4}
    assert sum(wish.contends for wish in wishes) == pytest.approx(600, rel=0.15)


def test_nobody_contends_unless_asked_to() -> None:
    random = Random(3)
    assert not any(invent(n, Taste({"api": 1.0}), random).contends for n in range(200))
