"""What a gateway's answer means for a purchase."""

from __future__ import annotations

from uuid import UUID

import pytest
from booking.gateway import Payment
from booking.model import Purchase
from booking.service.outcome import Step, step


def purchase(state: str, payment_state: str = "started", age: float = 0.0) -> Purchase:
    return Purchase(
        1, "NUMBER", "key", "digest", UUID(int=0), 1, ("A1",), 10_000, "n", "c", state, payment_state, age, 0
    )


def payment(state: str, amount_won: int | None = 10_000) -> Payment:
    return Payment("key", "pay_1", state, amount_won)


@pytest.mark.parametrize(
    ("state", "payment_state", "said", "chosen"),
    [
        ("pending", "started", payment("approved"), Step.CONFIRM),
        ("pending", "unknown", payment("approved"), Step.CONFIRM),
        ("pending", "unknown", payment("approved", 1), Step.REFUND),
        ("pending", "unknown", payment("declined"), Step.DECLINE),
        ("pending", "unknown", payment("refunded"), Step.REFUNDED),
        ("confirmed", "approved", payment("approved"), Step.NOTHING),
        ("confirmed", "approved", None, Step.NOTHING),
        ("confirmed", "approved", payment("refunded"), Step.NOTHING),
        ("released", "declined", payment("approved"), Step.REFUND),
        ("released", "declined", None, Step.RECHECK),
        ("declined", "declined", payment("declined"), Step.RECHECK),
        ("cancelled", "refunding", payment("approved"), Step.REFUND),
        ("cancelled", "refunding", payment("refunded"), Step.REFUNDED),
        ("cancelled", "refunded", payment("refunded"), Step.NOTHING),
    ],
)
def test_step(state: str, payment_state: str, said: Payment | None, chosen: Step) -> None:
    assert step(purchase(state, payment_state), said, 10) is chosen


def test_a_payment_that_the_gateway_does_not_know_is_waited_for_before_seats_are_released() -> None:
    assert step(purchase("pending", age=9.9), None, 10) is Step.WAIT
    assert step(purchase("pending", age=10.0), None, 10) is Step.RELEASE
