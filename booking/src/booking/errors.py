"""What can go wrong while selling a seat, in words for a customer and codes for a client."""

from __future__ import annotations

from typing import Any

NOT_HELD = "These seats are not held for you any more. Choose seats again; nothing was charged."
NOT_RECEIVED = "We did not receive your payment. Send it once more; you pay only once."
WRONG_AMOUNT = "The seats cost {right} won, not {given}. Nothing was charged."
TIME_OVER = "The time to pay for these seats is over. Choose seats again; nothing was charged."


class BookingError(Exception):
    """Say what happened, with the value, then the next step."""


class Refusal(BookingError):
    """Tell a customer why something cannot be done.

    `code` is stable; `template` is an English sentence with places for `values`, so that it can be translated;
    `details` go into the answer for programs.
    """

    def __init__(self, code: str, template: str, values: dict[str, Any] | None = None, **details: Any) -> None:
        self.code = code
        self.template = template
        self.values = values or {}
        self.details = details
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """Return the English sentence."""
        return self.template.format(**self.values) if self.values else self.template


class UnavailableError(BookingError):
    """Say that the service cannot work now, and that nothing was charged."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class CommitUnknownError(BookingError):
    """Say that a commit was sent and its answer is not known: look again before repeating anything."""


class AnswerLostError(BookingError):
    """Say that the payment gateway was asked and its answer is not known."""


class SidesError(BookingError):
    """Say why two sides cannot be compared, or their list cannot be acted upon; nothing was changed."""
