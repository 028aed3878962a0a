"""Compare what customers were told, what the database holds, and what the payment gateway took.

Pure: four lists in, findings out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from booking.crowd.journal import Entry


class Kind(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    SOLD_TWICE = "sold_twice"
    PAID_WITHOUT_BOOKING = "paid_without_booking"
    BOOKED_WITHOUT_PAYMENT = "booked_without_payment"
    UNSETTLED = "unsettled"


@dataclass(frozen=True)
class Sale:
    """A booking in the database: the seats it promises, and those that the seat table gives to it."""

    booking_number: str
    idempotency_key: str
    state: str
    screening_id: int
    promised: frozenset[str]
    seats: frozenset[str]
    amount_won: int

    @property
    def confirmed(self) -> bool:
        """Say whether the customer may come and sit down."""
        return self.state == "confirmed"


@dataclass(frozen=True)
class Charge:
    """A payment as the gateway lists it; `state` is approved, declined or refunded."""

    merchant_reference: str
    state: str
    amount_won: int


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, with a sentence for the person who must put it right."""

    kind: Kind
    idempotency_key: str
    sentence: str
    booking_number: str = ""


@dataclass(frozen=True)
class Audit:
    """The result; `confirmed` counts the journal's bookings."""

    confirmed: int
    findings: tuple[Finding, ...] = field(default=())

    def count(self, kind: Kind) -> int:
        """Count the findings of a kind."""
        return sum(finding.kind is kind for finding in self.findings)

    def as_fields(self) -> dict[str, Any]:
        """Return the result as JSON fields."""
        return {
            "confirmed": self.confirmed,
            **{str(kind): self.count(kind) for kind in Kind},
            "findings": [asdict(finding) for finding in self.findings],
        }


def compare(
    entries: Iterable[Entry],
    sales: Sequence[Sale],
    unsettled: Iterable[str],
    charges: Iterable[Charge],
    watched: Iterable[str] = (),
) -> Audit:
    """Find everything that is wrong; `unsettled` are the keys of payments whose outcome the database does not know yet.

    An unsettled payment is reported as that and as nothing else: unknown is neither paid nor lost. So is money for a
    purchase that came to nothing, as long as the shop watches for it (`watched`) and will give it back.
    """
    told = list({(entry.booking_number, entry.idempotency_key): entry for entry in entries}.values())
    open_keys = set(unsettled)
    by_key = {sale.idempotency_key: sale for sale in sales}
    by_reference = {charge.merchant_reference: charge for charge in charges}
    open_keys |= {key for key in watched if key in by_reference and _stands_alone(by_reference[key], by_key.get(key))}
    findings = [
        *_missing(told, {sale.booking_number: sale for sale in sales}),
        *_without_seats(told, sales),
        *_sold_twice(told, sales),
        *_paid_without_booking(by_reference, by_key, open_keys),
        *_booked_without_payment(sales, by_reference, open_keys),
        *(_open(key, by_reference.get(key)) for key in sorted(open_keys)),
    ]
    return Audit(len(told), tuple(findings))


def _missing(told: Iterable[Entry], sales: Mapping[str, Sale]) -> Iterable[Finding]:
    """Look for each journalled booking: the same number and key, and, unless it was cancelled, the seats."""
    for entry in told:
        sale = sales.get(entry.booking_number)
        why = None
        if sale is None:
            why = "is not in the database"
        elif sale.idempotency_key != entry.idempotency_key:
            why = f"belongs to another purchase in the database ({sale.idempotency_key})"
        elif sale.state not in {"confirmed", "cancelled"}:
            why = f"is {sale.state} in the database"
        elif sale.confirmed and (sale.screening_id, sale.seats) != (entry.screening_id, frozenset(entry.seats)):
            why = f"has seats {_list(sale.seats) or 'none'} of screening {sale.screening_id} in the database"
        if why:
            yield Finding(
                Kind.MISSING,
                entry.idempotency_key,
                f"Booking {entry.booking_number} (seats {_list(entry.seats)} of screening {entry.screening_id}), "
                f"confirmed at {entry.at} through {entry.edge}, {why}.",
                entry.booking_number,
            )


def _without_seats(told: Iterable[Entry], sales: Iterable[Sale]) -> Iterable[Finding]:
    """Look for confirmed bookings that no journal knows and whose seats the seat table does not give to them."""
    known = {entry.booking_number for entry in told}
    for sale in sales:
        if sale.confirmed and sale.seats != sale.promised and sale.booking_number not in known:
            sentence = (
                f"Booking {sale.booking_number} promises seats {_list(sale.promised)} of screening "
                f"{sale.screening_id}; the seat table gives it {_list(sale.seats) or 'none'}."
            )
            yield Finding(Kind.MISSING, sale.idempotency_key, sentence, sale.booking_number)


def _sold_twice(told: Iterable[Entry], sales: Iterable[Sale]) -> Iterable[Finding]:
    """Look for seats that two customers were given, whether the database still knows both or only one."""
    owners: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
    given_back = {sale.booking_number for sale in sales if sale.state == "cancelled"}
    for entry in told:
        if entry.booking_number not in given_back:
            for seat in entry.seats:
                owners[entry.screening_id, seat][entry.idempotency_key] = entry.booking_number
    for sale in sales:
        if sale.confirmed:
            for seat in sale.seats | sale.promised:
                owners[sale.screening_id, seat][sale.idempotency_key] = sale.booking_number
    for (screening, seat), numbers in sorted(owners.items()):
        if len(numbers) > 1:
            yield Finding(
                Kind.SOLD_TWICE,
                min(numbers),
                f"Seat {seat} of screening {screening} was sold to bookings {_list(numbers.values())}.",
            )


def _paid_without_booking(
    charges: Mapping[str, Charge], sales: Mapping[str, Sale], open_keys: set[str]
) -> Iterable[Finding]:
    """Look for money that was taken and not given back, and no booking for it, or one that costs less."""
    for key, charge in charges.items():
        if charge.state != "approved" or key in open_keys:
            continue
        sale = sales.get(key)
        if _stands_alone(charge, sale):
            what = "no booking" if sale is None else f"booking {sale.booking_number}, which is {sale.state},"
        elif sale and charge.amount_won > sale.amount_won:
            what = f"booking {sale.booking_number} of {sale.amount_won} won"
        else:
            continue
        sentence = f"The gateway took {charge.amount_won} won for {key}, and {what} stands against it: refund it."
        yield Finding(Kind.PAID_WITHOUT_BOOKING, key, sentence, sale.booking_number if sale else "")


def _stands_alone(charge: Charge, sale: Sale | None) -> bool:
    return charge.state == "approved" and (sale is None or not sale.confirmed)


def _booked_without_payment(
    sales: Iterable[Sale], charges: Mapping[str, Charge], open_keys: set[str]
) -> Iterable[Finding]:
    """Look for confirmed bookings that the gateway took no money for, or too little."""
    for sale in sales:
        charge = charges.get(sale.idempotency_key)
        if not sale.confirmed or sale.idempotency_key in open_keys:
            continue
        if charge is None or charge.state != "approved":
            what = f"a payment that is {charge.state}" if charge else "no payment"
        elif charge.amount_won < sale.amount_won:
            what = f"a payment of {charge.amount_won} won"
        else:
            continue
        yield Finding(
            Kind.BOOKED_WITHOUT_PAYMENT,
            sale.idempotency_key,
            f"Booking {sale.booking_number} of {sale.amount_won} won is confirmed, and the gateway has {what} for it.",
            sale.booking_number,
        )


def _open(key: str, charge: Charge | None) -> Finding:
    known = f"{charge.state}, {charge.amount_won} won" if charge else "nothing"
    sentence = f"Payment {key} is not settled in the database; the gateway knows {known} of it."
    return Finding(Kind.UNSETTLED, key, sentence)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
