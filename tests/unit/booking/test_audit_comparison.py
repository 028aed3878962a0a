"""Each way to lose a booking, a seat or money is found once, and nothing is found where all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from booking.audit.comparison import Audit, Charge, Finding, Kind, Sale, compare
from booking.crowd.journal import Entry
from hypothesis import given
from hypothesis import strategies as st

AT = "2026-12-24T18:00:00+00:00"


@dataclass
class Books:
    """Three books that agree: journal, database, gateway."""

    entries: list[Entry] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    def sell(self, number: int, *, journalled: bool = True, state: str = "confirmed") -> Books:
        name, key, seats = f"B{number}", f"key-{number}", (f"A{2 * number}", f"A{2 * number + 1}")
        if journalled and state in {"confirmed", "cancelled"}:
            self.entries.append(Entry(AT, name, key, 7, seats, 30_000, "a@example.com", "192.0.2.1", "was1"))
        sold = frozenset(seats) if state == "confirmed" else frozenset()
        self.sales.append(Sale(name, key, state, 7, frozenset(seats), sold, 30_000))
        paid = {"confirmed": "approved", "cancelled": "refunded", "declined": "declined"}
        if state in paid:
            self.charges.append(Charge(key, paid[state], 30_000))
        return self

    def audit(self) -> Audit:
        return compare(self.entries, self.sales, self.unsettled, self.charges)


def three() -> Books:
    return Books().sell(1).sell(2).sell(3)


def only(result: Audit, kind: Kind, count: int = 1) -> Finding:
    assert [finding.kind for finding in result.findings] == [kind] * count
    assert result.as_fields()[str(kind)] == count
    return result.findings[0]


def test_books_that_agree_have_no_findings() -> None:
    books = three().sell(4, journalled=False).sell(5, state="cancelled").sell(6, state="declined")
    books.sell(7, state="released")
    assert books.audit() == Audit(4)
    assert books.audit().as_fields() == {
        "confirmed": 4,
        "missing": 0,
        "sold_twice": 0,
        "paid_without_booking": 0,
        "booked_without_payment": 0,
        "unsettled": 0,
        "findings": [],
    }


def test_a_booking_that_left_the_database_is_missing_and_its_money_stands_alone() -> None:
    books = three()
    del books.sales[1]
    result = books.audit()
    assert [finding.kind for finding in result.findings] == [Kind.MISSING, Kind.PAID_WITHOUT_BOOKING]
    assert "B2" in result.findings[0].sentence
    assert "192.0.2.1" in result.findings[0].sentence


LOST: dict[str, Callable[[Sale], Sale]] = {
    "of another purchase": lambda sale: replace(sale, idempotency_key="other"),
    "without its seats": lambda sale: replace(sale, seats=frozenset()),
    "with other seats": lambda sale: replace(sale, seats=frozenset({"Z1"}), promised=frozenset({"Z1"})),
    "of another screening": lambda sale: replace(sale, screening_id=8),
    "released": lambda sale: replace(sale, state="released", seats=frozenset()),
    "pending": lambda sale: replace(sale, state="pending", seats=frozenset()),
}


@pytest.mark.parametrize("change", LOST.values(), ids=LOST)
def test_a_booking_that_is_not_what_the_customer_was_told_is_missing(change: Callable[[Sale], Sale]) -> None:
    books = three()
    books.sales[1] = change(books.sales[1])
    kinds = [finding.kind for finding in books.audit().findings if finding.booking_number == "B2"]
    assert kinds.count(Kind.MISSING) == 1


def test_a_booking_of_a_customer_without_a_journal_is_missed_when_its_seats_are_gone() -> None:
    books = three().sell(4, journalled=False)
    books.sales[3] = replace(books.sales[3], seats=frozenset({"A8"}))
    assert "A9" in only(books.audit(), Kind.MISSING).sentence


def test_a_seat_that_the_database_promises_to_two_is_sold_twice() -> None:
    books = three().sell(4, journalled=False)
    books.sales[3] = replace(books.sales[3], promised=frozenset({"A2"}), seats=frozenset({"A2"}))
    assert "B1, B4" in only(books.audit(), Kind.SOLD_TWICE).sentence


def test_a_seat_that_was_sold_again_after_its_first_booking_was_lost_is_sold_twice() -> None:
    books = three()
    lost = books.sales.pop(0)
    books.sales.append(replace(lost, booking_number="B9", idempotency_key="key-9"))
    books.charges = [Charge("key-9", "approved", 30_000), *books.charges[1:]]
    kinds = [finding.kind for finding in books.audit().findings]
    assert sorted(kinds) == [Kind.MISSING, Kind.SOLD_TWICE, Kind.SOLD_TWICE]


def test_a_seat_that_was_cancelled_may_be_sold_again() -> None:
    books = three().sell(4, state="cancelled").sell(5)
    again = frozenset({"A8", "A9"})
    books.sales[4] = replace(books.sales[4], promised=again, seats=again)
    books.entries[4] = replace(books.entries[4], seats=("A8", "A9"))
    assert books.audit().findings == ()


@pytest.mark.parametrize("state", ["cancelled", "declined", "released", "pending"])
def test_money_for_a_booking_that_does_not_stand_is_paid_without_booking(state: str) -> None:
    books = three().sell(4, state=state)
    books.charges = [*books.charges[:3], Charge("key-4", "approved", 30_000)]
    assert "refund" in only(books.audit(), Kind.PAID_WITHOUT_BOOKING).sentence


def test_money_for_a_purchase_that_nobody_knows_is_paid_without_booking() -> None:
    books = three()
    books.charges.append(Charge("stranger", "approved", 9_000))
    assert "stranger" in only(books.audit(), Kind.PAID_WITHOUT_BOOKING).sentence


def test_more_money_than_the_booking_costs_is_paid_without_booking() -> None:
    books = three()
    books.charges[0] = replace(books.charges[0], amount_won=60_000)
    assert "60000" in only(books.audit(), Kind.PAID_WITHOUT_BOOKING).sentence


def test_money_that_was_given_back_or_never_taken_needs_no_booking() -> None:
    books = three()
    books.charges += [Charge("a", "refunded", 9_000), Charge("b", "declined", 9_000)]
    assert books.audit().findings == ()


@pytest.mark.parametrize("state", [None, "declined", "refunded"])
def test_a_confirmed_booking_that_no_money_was_kept_for_is_booked_without_payment(state: str | None) -> None:
    books = three()
    books.charges[0:1] = [replace(books.charges[0], state=state)] if state else []
    assert "B1" in only(books.audit(), Kind.BOOKED_WITHOUT_PAYMENT).sentence


def test_less_money_than_the_booking_costs_is_booked_without_payment() -> None:
    books = three()
    books.charges[0] = replace(books.charges[0], amount_won=1)
    only(books.audit(), Kind.BOOKED_WITHOUT_PAYMENT)


@pytest.mark.parametrize("charge", ["approved", "declined", None])
def test_a_payment_that_the_database_does_not_know_the_end_of_is_unsettled_and_nothing_else(charge: str | None) -> None:
    books = three().sell(4, state="pending")
    books.unsettled.append("key-4")
    if charge:
        books.charges.append(Charge("key-4", charge, 30_000))
    assert (charge or "nothing") in only(books.audit(), Kind.UNSETTLED).sentence


def test_money_that_the_shop_still_watches_for_is_unsettled_until_it_is_given_back() -> None:
    books = three().sell(4, state="released")
    watched = ["key-1", "key-4"]
    assert compare(books.entries, books.sales, [], books.charges, watched).findings == ()
    books.charges.append(Charge("key-4", "approved", 30_000))
    only(compare(books.entries, books.sales, [], books.charges, watched), Kind.UNSETTLED)
    books.charges[3] = replace(books.charges[3], state="refunded")
    assert compare(books.entries, books.sales, [], books.charges, watched).findings == ()


def test_a_booking_in_two_journals_counts_once() -> None:
    books = three()
    books.entries += books.entries
    assert books.audit() == Audit(3)


def test_a_number_that_two_customers_were_given_is_missing_for_one_of_them() -> None:
    books = three()
    books.entries.append(replace(books.entries[0], idempotency_key="other", seats=("Z1",)))
    only(books.audit(), Kind.MISSING)


@given(st.lists(st.sampled_from(["confirmed", "cancelled", "declined", "released"]), max_size=20), st.data())
def test_any_books_that_agree_are_clean_and_any_lost_sale_is_noticed(states: list[str], data: st.DataObject) -> None:
    books = Books()
    for number, state in enumerate(states):
        books.sell(number, state=state, journalled=data.draw(st.booleans()))
    assert books.audit().findings == ()
    confirmed = [sale for sale in books.sales if sale.confirmed]
    if confirmed:
        books.sales.remove(data.draw(st.sampled_from(confirmed)))
        assert books.audit().count(Kind.PAID_WITHOUT_BOOKING) == 1
