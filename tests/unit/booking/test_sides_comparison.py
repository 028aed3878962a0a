"""Each way in which two sides can differ after a failover is one finding, with what settles it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from booking.gateway import Payment
from booking.sides.comparison import (
    Action,
    Booking,
    Claim,
    Finding,
    Kind,
    NewSide,
    Showing,
    compare,
    counts,
    only_on_old_side,
)
from booking.sides.outcome import Result, from_finding, unpaid
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
SHOWING = Showing("T1", "Hall 1", "F1", NOW + timedelta(hours=2))


def booking(number: int = 1, state: str = "confirmed", payment: str = "approved") -> Booking:
    return Booking(
        booking_number=f"B{number}",
        idempotency_key=f"key-{number}",
        request_digest=f"digest-{number}",
        hold_id=f"hold-{number}",
        showing=SHOWING,
        seats=(f"A{2 * number}", f"A{2 * number + 1}"),
        amount_won=30_000,
        customer_name="Kim Minseo",
        contact="minseo@example.com",
        state=state,
        created_at=NOW - timedelta(minutes=number),
        confirmed_at=NOW if state in {"confirmed", "cancelled"} else None,
        cancelled_at=NOW if state == "cancelled" else None,
        payment_state=payment,
        gateway_payment_id="pay_1",
    )


def side(*bookings: Booking, claims: dict[str, Claim] | None = None) -> NewSide:
    return NewSide(
        at=NOW,
        bookings={each.idempotency_key: each for each in bookings},
        numbers={},
        showings=frozenset({SHOWING}),
        claims={(SHOWING, seat): claim for seat, claim in (claims or {}).items()},
    )


def only(old: Booking, new: NewSide) -> Finding:
    (finding,) = compare([old], new)
    assert old.booking_number in finding.sentence
    return finding


def judged(old: Booking, new: NewSide) -> tuple[Kind, Action]:
    finding = only(old, new)
    return finding.kind, finding.action


def test_sides_that_agree_have_no_findings() -> None:
    states = ("confirmed", "cancelled", "pending", "declined", "released")
    same = [booking(number, state) for number, state in enumerate(states)]
    assert compare(same, side(*same)) == ()


def test_a_booking_whose_seats_are_free_fits() -> None:
    assert judged(booking(), side()) == (Kind.FITS, Action.REINSERT)


def test_a_seat_sold_since_is_a_conflict_that_names_the_other_booking() -> None:
    finding = only(booking(1), side(claims={"A3": Claim("B9")}))
    assert (finding.kind, finding.action, finding.new_number) == (Kind.CONFLICT, Action.REFUND, "B9")
    assert "A3 was sold since, to booking B9" in finding.sentence


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        (Claim(hold_id="another", held_until=NOW + timedelta(seconds=1)), Kind.HELD),
        (Claim(hold_id="another", held_until=NOW), Kind.FITS),
        (Claim(hold_id="another"), Kind.HELD),
        (Claim(hold_id="hold-1", held_until=NOW + timedelta(seconds=1)), Kind.FITS),
        (Claim(hold_id="hold-1"), Kind.HELD),
    ],
    ids=["held by another", "expired", "another's payment is open", "its own hold", "its own hold, payment open"],
)
def test_a_hold_keeps_a_seat_only_while_it_lasts_and_not_from_its_own_booking(claim: Claim, kind: Kind) -> None:
    assert judged(booking(1), side(claims={"A2": claim})) == (kind, Action.REINSERT)


def test_a_screening_that_has_begun_is_not_sold_any_more() -> None:
    begun = replace(booking(), showing=replace(SHOWING, starts_at=NOW))
    new = replace(side(), showings=frozenset({begun.showing}))
    assert judged(begun, new) == (Kind.SCREENING_OVER, Action.REFUND)


def test_another_film_in_the_same_hall_is_another_screening() -> None:
    new = replace(side(), showings=frozenset({replace(SHOWING, film="F2")}))
    assert judged(booking(), new) == (Kind.SCREENING_UNKNOWN, Action.REINSERT)


def test_a_number_that_another_purchase_has_is_for_a_person() -> None:
    assert judged(booking(), replace(side(), numbers={"B1": "other"})) == (Kind.NUMBER_TAKEN, Action.PERSON)


def test_money_that_went_back_meanwhile_is_not_put_back() -> None:
    assert judged(booking(), replace(side(), refunded=frozenset({"key-1"}))) == (Kind.REFUNDED, Action.REFUND)


def test_a_booking_cancelled_before_the_new_side_saw_it_is_recorded() -> None:
    assert judged(booking(state="cancelled", payment="refunding"), side()) == (Kind.CANCELLED, Action.REFUND)


@pytest.mark.parametrize(
    ("state", "payment", "owed"),
    [
        ("pending", "started", True),
        ("pending", "unknown", True),
        ("released", "refunding", True),
        ("declined", "approved", True),
        ("released", "declined", False),
        ("released", "refunded", False),
        ("declined", "declined", False),
    ],
)
def test_a_payment_that_may_have_taken_money_has_no_booking(state: str, payment: str, *, owed: bool) -> None:
    found = compare([booking(state=state, payment=payment)], side())
    assert [each.kind for each in found] == ([Kind.PAYMENT_WITHOUT_BOOKING] if owed else [])


def test_one_key_with_different_content_is_for_a_person() -> None:
    other = replace(booking(), request_digest="other", booking_number="B2")
    finding = only(booking(), side(other))
    assert (finding.kind, finding.action, finding.new_number) == (Kind.OTHER_CONTENT, Action.PERSON, "B2")


def test_a_purchase_repeated_on_the_new_side_has_another_number() -> None:
    assert judged(booking(), side(replace(booking(), booking_number="B2"))) == (Kind.OTHER_NUMBER, Action.PERSON)
    never_told = booking(state="pending", payment="unknown")
    assert judged(never_told, side(replace(booking(), booking_number="B2"))) == (Kind.OTHER_NUMBER, Action.NOTHING)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("cancelled", "confirmed", (Kind.CANCELLED_ON_OLD_SIDE, Action.REFUND)),
        ("confirmed", "cancelled", (Kind.STATE_DIFFERS, Action.NOTHING)),
        ("confirmed", "pending", (Kind.STATE_DIFFERS, Action.NOTHING)),
        ("confirmed", "released", (Kind.STATE_DIFFERS, Action.PERSON)),
        ("pending", "confirmed", (Kind.STATE_DIFFERS, Action.NOTHING)),
    ],
)
def test_a_state_that_differs_is_told_with_what_it_asks_for(old: str, new: str, expected: tuple[Kind, Action]) -> None:
    assert judged(booking(state=old), side(booking(state=new))) == expected


def test_what_is_only_on_the_old_side_is_counted() -> None:
    old = [booking(1), booking(2), booking(3, "cancelled")]
    found = compare(old, side(booking(3), claims={"A4": Claim("B9")}))
    assert only_on_old_side(found) == 2
    told = {name: count for name, count in counts(found).items() if count}
    assert told == {"fits": 1, "conflict": 1, "cancelled_on_old_side": 1}


@given(
    st.lists(st.sampled_from(["confirmed", "cancelled", "pending", "declined", "released", "absent"]), max_size=12),
    st.data(),
)
def test_every_confirmed_booking_has_one_finding_unless_both_sides_agree(old: list[str], data: st.DataObject) -> None:
    here = [booking(number, state) for number, state in enumerate(old) if state != "absent"]
    there = [each for each in here if data.draw(st.booleans())]
    sold = {each.seats[0]: Claim("B999") for each in here if data.draw(st.booleans()) and each not in there}
    found = compare(here, side(*there, claims=sold))
    assert len({finding.booking for finding in found}) == len(found)
    confirmed = {each for each in here if each.state == "confirmed" and each not in there}
    assert {finding.booking for finding in found if finding.booking.state == "confirmed"} == confirmed
    fits = {finding.booking for finding in found if finding.kind is Kind.FITS}
    assert not {seat for each in fits for seat in each.seats} & set(sold)


def payment(state: str, amount_won: int | None = 30_000) -> Payment:
    return Payment("key-1", "pay_1", state, amount_won)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (None, "knows no payment"),
        (payment("refunded"), "has gone back"),
        (payment("declined"), "is declined"),
        (payment("approved", 1), "took 1 won"),
    ],
)
def test_a_booking_without_its_money_is_not_put_back(known: Payment | None, why: str) -> None:
    outcome = unpaid(booking(), known)
    assert outcome is not None
    assert outcome.result is Result.CONFLICT
    assert why in outcome.sentence


def test_a_booking_with_its_money_is_put_back() -> None:
    assert unpaid(booking(), payment("approved")) is None
    assert from_finding(only(booking(), side())) is None
