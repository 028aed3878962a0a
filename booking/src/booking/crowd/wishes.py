"""Invent customers: who they are, what they want to see, how many they are.

Pure: randomness comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

APPROVED_CARD, DECLINED_CARD = "tok_visa", "tok_declined"
_PARTIES = (1, 2, 2, 2, 3, 4)  # two is the usual party in a cinema
_NAMES = {
    "ko": ("김민준", "이서연", "박도윤", "최지우", "정하은", "강시우", "조수아", "윤예준"),
    "en": ("Ada Lovelace", "Miles O'Brien", "Zoë Washburne", "Alan Turing", "Grace Hopper", "Søren Ødegård"),
}


@dataclass(frozen=True)
class Filters:
    """What the whole crowd is after; nothing set means anything."""

    theatre: int | None = None
    screenings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wish:
    """One customer and what they came for; who contends asks for a seat once also when the map shows none free."""

    way: str
    language: str
    name: str
    contact: str
    party: int
    card_token: str
    filters: Filters
    contends: bool = False


@dataclass(frozen=True)
class Taste:
    """What the customers of a crowd are like; the shares are of 1."""

    mix: Mapping[str, float]
    filters: Filters = field(default_factory=Filters)
    declined_share: float = 0.0
    contending_share: float = 0.0


def invent(number: int, taste: Taste, random: Random) -> Wish:
    """Make up customer number so-and-so; half of them are Korean."""
    language = random.choice(("ko", "en"))
    tag = f"{number}-{random.getrandbits(32):08x}"
    phone = f"010-{random.randrange(10_000):04d}-{random.randrange(10_000):04d}"
    return Wish(
        way=random.choices(list(taste.mix), list(taste.mix.values()))[0],
        language=language,
        name=random.choice(_NAMES[language]),
        contact=phone if random.random() < 0.3 else f"crowd-{tag}@example.com",
        party=random.choice(_PARTIES),
        card_token=DECLINED_CARD if random.random() < taste.declined_share else APPROVED_CARD,
        filters=taste.filters,
        contends=random.random() < taste.contending_share,
    )
