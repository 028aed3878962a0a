"""Check what customers type, before anything is stored.

Pure: text in, text or a Refusal out.
"""

from __future__ import annotations

import re
import unicodedata

from booking.errors import Refusal
from booking.model import Screening, seat_exists

MOST_SEATS = 8
_EMAIL = re.compile(r"[^\s@<>\"',;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?\.[A-Za-z]{2,24}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{6,20}[0-9]")
_KEY = re.compile(r"[A-Za-z0-9_.:-]{16,64}")
_CARD = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def name(text: str) -> str:
    """Return a customer's name without spaces around it; any printable text of 1 to 80 characters."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= 80 or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in stripped):
        raise Refusal("invalid_input", "Enter a name of 1 to 80 characters, without control characters.")
    return stripped


def contact(text: str) -> str:
    """Return an e-mail address or a telephone number, without spaces around it."""
    stripped = text.strip()
    if not (_EMAIL.fullmatch(stripped) or _PHONE.fullmatch(stripped)):
        raise Refusal("invalid_input", "Enter an e-mail address or a telephone number as contact.")
    return stripped


def same_contact(one: str, other: str) -> bool:
    """Tell whether two contacts are the same, however they are written."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    stripped = text.strip()
    return stripped.casefold() if "@" in stripped else re.sub(r"[^0-9+]", "", stripped)


def idempotency_key(text: str) -> str:
    """Return a key that can name a purchase."""
    if not _KEY.fullmatch(text):
        message = "Send an Idempotency-Key header of 16 to 64 characters: letters, digits, and _ . : -"
        raise Refusal("invalid_input", message)
    return text


def card_token(text: str) -> str:
    """Return the card's token."""
    stripped = text.strip()
    if not _CARD.fullmatch(stripped):
        raise Refusal("invalid_input", "Enter the card's token: 1 to 128 letters, digits, and _ . : -")
    return stripped


def seats(wanted: list[str], screening: Screening) -> list[str]:
    """Return the seats, sorted, if the screening has them all."""
    chosen = sorted(set(wanted))
    if not 1 <= len(wanted) <= MOST_SEATS or len(chosen) != len(wanted):
        raise Refusal("invalid_input", "Choose 1 to {most} different seats.", {"most": MOST_SEATS})
    if unknown := [seat for seat in chosen if not seat_exists(seat, screening.seats_total, screening.seats_per_row)]:
        raise Refusal("unknown_seat", "This auditorium has no seat {seat}.", {"seat": repr(unknown[0][:20])})
    return chosen
