"""After a failover: what the new side never saw is listed, put back where it fits, and paid back where it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from booking.service import bookings, holding, purchasing, settling

from tests.integration.booking.shop import wait_until
from tests.integration.booking.two_sides import CONTACT, TwoSides, order


def test_sides_that_sold_the_same_have_nothing_to_settle(sides: TwoSides) -> None:
    told = sides.compare()
    assert (told["only_on_old_side"], told["findings"], told["bookings_on_old_side"]) == (0, [], 1)


def test_bookings_of_the_old_side_are_listed_with_who_has_their_seats_now(sides: TwoSides) -> None:
    fits, conflict = sides.old.buy("A2,A3", "A11,A12")
    (since,) = sides.new.buy("A12,A13")
    told = sides.compare()
    assert told["kinds"] == {fits.booking_number: "fits", conflict.booking_number: "conflict"}
    assert (told["only_on_old_side"], told["only_on_new_side"]) == (2, 1)
    by_number = {finding["number"]: finding for finding in told["findings"]}
    assert by_number[conflict.booking_number]["new_number"] == since.booking_number
    assert sides.listed.stat().st_mode & 0o777 == 0o600


def test_a_person_reads_a_table_with_sentences(sides: TwoSides) -> None:
    (fits,) = sides.old.buy("A2")
    where = ["--old", sides.old.url, "--new", sides.new.url, "--output", str(sides.listed)]
    code, said, error = sides.run("divergence", *where)
    assert code == 1
    assert f"{sides.listed} written" in error
    assert f"Booking {fits.booking_number} (seats A2" in said
    assert "its seats are free on the new side" in said


def test_only_what_changed_since_a_moment_is_compared_when_told_so(sides: TwoSides) -> None:
    early, late = sides.old.buy("A2", "A3")
    cancelled = next(iter(sides.old.states().keys() - {early.booking_number, late.booking_number}))
    sides.old.ask("UPDATE bookings SET created_at = '2020-01-01', confirmed_at = '2020-01-01'")
    sides.old.ask("UPDATE payments SET changed_at = '2020-01-01'")
    sides.old.ask("UPDATE payments SET changed_at = now() WHERE merchant_reference = %s", late.idempotency_key)
    since = datetime.now(UTC).replace(year=2021).isoformat()
    # A change on the new side alone is found too.
    sides.new.ask("UPDATE bookings SET state = 'cancelled', cancelled_at = now()")
    told = sides.compare("--since", since)
    assert told["kinds"] == {late.booking_number: "fits", cancelled: "state_differs"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--new", "OLD"], "lead to the same database"),
        (["--new", "postgresql://127.0.0.1:1/none"], "The new side cannot be read"),
        (["--since", "yesterday"], "expected a moment"),
        (["--since", "2026-12-24T18:00:00"], "without a zone"),
        (["--gateway-url", "http://127.0.0.1:1", "--gateway-secret-file", "SECRET"], "was lost"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(sides: TwoSides, words: list[str], sentence: str) -> None:
    sides.old.buy("A2")
    there = {"OLD": sides.old.url, "SECRET": str(sides.company.gateway_secret_file)}
    given = ["--old", sides.old.url, "--new", sides.new.url, "--output", str(sides.listed)]
    code, _, error = sides.run("divergence", *given, *[there.get(word, word) for word in words])
    assert code == 2
    assert sentence in error
    assert not sides.listed.exists()


def test_what_fits_is_put_back_once_however_often_it_is_asked(sides: TwoSides) -> None:
    fits, other = sides.old.buy("A2,A3", "A11")
    sides.compare()
    numbers = {fits.booking_number, other.booking_number}
    assert sides.settle("reinsert") == (0, dict.fromkeys(numbers, "back"))
    assert sides.settle("reinsert") == (0, dict.fromkeys(numbers, "already"))
    assert {seat for seat, number in sides.new.sold().items() if number in numbers} == {"A2", "A3", "A11"}
    assert sides.new.states()[fits.booking_number] == ("confirmed", "approved")
    with sides.new.shop() as shop:
        found, _ = bookings.find(shop, fits.booking_number, CONTACT, shop.deadline())
        assert found.seats == ("A2", "A3")
        again = bookings.cancel(shop, fits.booking_number, CONTACT, shop.deadline())
        assert again.state == "cancelled"
    assert sides.company.payments()[fits.idempotency_key] == "refunded"
    assert sides.new.ask("SELECT * FROM orphan_payments") == []


def test_a_customer_who_repeats_the_request_gets_the_booking_that_was_put_back(sides: TwoSides) -> None:
    with sides.old.shop() as shop:
        hold = holding.hold(shop, sides.old.screening(), ["A2"], shop.deadline())
        wish = order(hold)
        first = purchasing.purchase(shop, wish, shop.deadline())
    sides.compare()
    assert sides.settle("reinsert")[0] == 0
    with sides.new.shop() as shop:
        again = purchasing.purchase(shop, wish, shop.deadline())
    assert (again.booking_number, again.state) == (first.booking_number, "confirmed")


def test_only_those_that_are_named_are_put_back_and_a_wrong_number_stops_all(sides: TwoSides) -> None:
    one, other = sides.old.buy("A2", "A3")
    sides.compare()
    where = ["--from", str(sides.listed), "--into", sides.new.url, *sides.at_gateway()]
    code, _, error = sides.run("reinsert", *where, "--number", one.booking_number, "--number", "NOSUCH")
    assert code == 2
    assert "lists no booking NOSUCH" in error
    assert sides.settle("reinsert", "--number", one.booking_number.lower()) == (0, {one.booking_number: "back"})
    assert other.booking_number not in sides.new.states()


def test_a_seat_sold_after_the_list_was_made_is_a_conflict_when_it_is_put_back(sides: TwoSides) -> None:
    (fits,) = sides.old.buy("A2,A3")
    sides.compare()
    (since,) = sides.new.buy("A3")
    assert sides.settle("reinsert") == (1, {fits.booking_number: "conflict"})
    assert "A2" not in sides.new.sold()
    assert sides.new.sold()["A3"] == since.booking_number


def test_a_seat_that_is_held_waits_until_the_hold_is_over(sides: TwoSides) -> None:
    (fits,) = sides.old.buy("A2")
    with sides.new.shop(hold_seconds=60) as shop:
        hold = holding.hold(shop, sides.new.screening(), ["A2"], shop.deadline())
    assert sides.compare()["kinds"] == {fits.booking_number: "held"}
    assert sides.settle("reinsert") == (1, {fits.booking_number: "held"})
    sides.new.ask("UPDATE seat_claims SET expires_at = now() WHERE hold_id = %s", hold.id)
    assert sides.settle("reinsert") == (0, {fits.booking_number: "back"})


def test_its_own_hold_does_not_keep_a_booking_out(sides: TwoSides) -> None:
    """The hold reached the new side, the purchase did not."""
    with sides.new.shop() as shop:
        hold = holding.hold(shop, sides.new.screening(), ["A2"], shop.deadline())
    insert = "INSERT INTO holds (id, screening_id, seats, amount_won, expires_at) VALUES (%s, %s, '{A2}', %s, %s)"
    sides.old.ask(insert, hold.id, hold.screening_id, hold.amount_won, hold.expires_at)
    claim = "INSERT INTO seat_claims (screening_id, seat, hold_id, expires_at) VALUES (%s, 'A2', %s, %s)"
    sides.old.ask(claim, hold.screening_id, hold.id, hold.expires_at)
    with sides.old.shop() as shop:
        bought = purchasing.purchase(shop, order(hold), shop.deadline())
    assert sides.compare()["kinds"] == {bought.booking_number: "fits"}
    assert sides.settle("reinsert") == (0, {bought.booking_number: "back"})
    assert sides.new.ask("SELECT count(*) FROM seat_claims WHERE hold_id IS NOT NULL") == [(0,)]


def test_a_conflict_is_paid_back_once_and_looked_up_as_cancelled(sides: TwoSides) -> None:
    (conflict,) = sides.old.buy("A2")
    sides.new.buy("A2")
    sides.compare()
    assert sides.settle("refund") == (0, {conflict.booking_number: "refunded"})
    assert sides.settle("refund") == (0, {conflict.booking_number: "refunded"})
    assert sides.company.payments()[conflict.idempotency_key] == "refunded"
    assert sides.new.states()[conflict.booking_number] == ("cancelled", "refunded")
    with sides.new.shop() as shop:
        assert bookings.find(shop, conflict.booking_number, CONTACT, shop.deadline())[0].state == "cancelled"
    assert sides.settle("reinsert", "--number", conflict.booking_number) == (1, {conflict.booking_number: "conflict"})


def test_what_fits_keeps_its_money_unless_it_is_named(sides: TwoSides) -> None:
    (fits,) = sides.old.buy("A2")
    sides.compare()
    assert sides.settle("refund") == (1, {fits.booking_number: "fits"})
    assert sides.company.payments()[fits.idempotency_key] == "approved"
    assert sides.settle("refund", "--number", fits.booking_number) == (0, {fits.booking_number: "refunded"})


def test_what_was_put_back_keeps_its_money(sides: TwoSides) -> None:
    (fits,) = sides.old.buy("A2")
    sides.compare()
    sides.settle("reinsert")
    assert sides.settle("refund") == (0, {fits.booking_number: "stays"})
    assert sides.settle("refund", "--number", fits.booking_number) == (1, {fits.booking_number: "stays"})
    assert sides.company.payments()[fits.idempotency_key] == "approved"


def test_a_refund_while_the_gateway_is_away_is_made_when_it_is_back(sides: TwoSides) -> None:
    (conflict,) = sides.old.buy("A2")
    sides.new.buy("A2")
    sides.compare()
    assert sides.company.gateway_server is not None
    sides.company.gateway_server.stop()
    assert sides.settle("refund") == (1, {conflict.booking_number: "open"})
    assert conflict.booking_number not in sides.new.states()
    sides.company.start_gateway()
    assert sides.settle("refund") == (0, {conflict.booking_number: "refunded"})


def test_money_that_went_back_meanwhile_is_listed_and_never_put_back(sides: TwoSides) -> None:
    (gone,) = sides.old.buy("A2")
    sides.company.gateway("POST", f"/payments/{gone.idempotency_key}/refund").raise_for_status()
    assert sides.compare()["kinds"] == {gone.booking_number: "fits"}
    assert sides.settle("reinsert") == (1, {gone.booking_number: "conflict"})
    sides.listed.unlink()
    assert sides.compare(*sides.at_gateway())["kinds"] == {gone.booking_number: "refunded"}
    assert sides.settle("refund") == (0, {gone.booking_number: "refunded"})


def test_a_cancellation_that_only_the_old_side_saw_is_made_on_the_new_one(sides: TwoSides) -> None:
    ((number, _),) = sides.old.states().items()
    with sides.old.shop() as shop:
        bookings.cancel(shop, number, CONTACT, shop.deadline())
    assert sides.compare()["kinds"] == {number: "cancelled_on_old_side"}
    assert sides.settle("refund") == (0, {number: "refunded"})
    assert sides.new.states()[number] == ("cancelled", "refunded")
    assert sides.new.sold() == {}


def test_a_payment_whose_answer_was_lost_is_paid_back(sides: TwoSides) -> None:
    sides.company.break_gateway("silent")
    (taken,) = sides.old.buy("A2")
    sides.company.break_gateway("fail")
    (free,) = sides.old.buy("A3")
    kind = "payment_without_booking"
    assert sides.compare()["kinds"] == {taken.booking_number: kind, free.booking_number: kind}
    results = {taken.booking_number: "refunded", free.booking_number: "nothing_charged"}
    assert sides.settle("refund") == (0, results)
    assert sides.new.states()[taken.booking_number] == ("released", "refunded")
    with sides.new.shop() as shop:  # the settler looks at it again, and changes nothing
        settling.settle(shop, free.idempotency_key, shop.deadline())
    assert sides.new.states()[free.booking_number] == ("released", "declined")


def test_one_key_with_two_contents_keeps_its_money_for_a_person(sides: TwoSides) -> None:
    key = uuid4().hex
    (one,) = sides.old.buy("A2", key=key)
    sides.new.buy("A11", key=key)
    assert sides.compare()["kinds"] == {one.booking_number: "other_content"}
    assert sides.settle("refund") == (0, {})
    assert sides.settle("refund", "--number", one.booking_number) == (1, {one.booking_number: "stays"})
    assert sides.settle("reinsert", "--number", one.booking_number) == (1, {one.booking_number: "conflict"})
    assert sides.company.payments()[key] == "approved"


def test_the_settler_and_a_booking_that_comes_back_never_both_have_the_money(sides: TwoSides) -> None:
    """Servers send back what they do not know; told to keep it, they do not, and told to go on, they do again."""
    from booking.service import settler  # noqa: PLC0415 - one test needs it

    (fits,) = sides.old.buy("A2")
    (kept,) = sides.old.buy("A3")
    sides.compare()
    assert sides.run("orphans", "--keep", "--into", sides.new.url)[0] == 0
    with sides.new.shop(orphan_seconds=0, compare_interval_seconds=0.001) as shop:
        settler.compare_with_gateway(shop)
        assert sides.company.payments()[fits.idempotency_key] == "approved"
        assert sides.settle("reinsert", "--number", fits.booking_number)[0] == 0
        assert sides.run("orphans", "--send-back", "--into", sides.new.url)[0] == 0

        def sent_back() -> bool:
            settler.compare_with_gateway(shop)
            return sides.company.payments()[kept.idempotency_key] == "refunded"

        wait_until(sent_back, 20, "the other one's money goes back")
    assert sides.company.payments()[fits.idempotency_key] == "approved"
    assert sides.settle("reinsert") == (1, {fits.booking_number: "already", kept.booking_number: "conflict"})
