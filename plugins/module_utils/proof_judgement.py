"""Judge what a restored database says of itself, and compare it with what the database it was copied from had sold.

Pure: answers of roles/backup/files/questions come in, sentences go out. A sentence names what is wrong; none means that
nothing is.

Both sides count as of one moment, so that what is sold meanwhile does not matter. What was committed within the window
before that moment (archive_timeout and a second) may not have left the site when the copy was made: it may be missing,
and so may a return of seats. Nothing else may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED = 3  # what a sentence names before it counts the rest
_WRONG = (
    ("sold_twice", "sold twice"),
    ("without_seats", "seats and bookings differ"),
    ("without_payment", "payments and bookings differ"),
)


@dataclass(frozen=True)
class Compared:
    """How far two counts agree. `missing_bookings`: what the copy lacks, as it may."""

    findings: tuple[str, ...]
    screenings: int
    missing_bookings: int


def judge_answers(answers: Mapping[str, Any]) -> list[str]:
    """Say what the restored database contradicts itself in."""
    return [f"{words}: {_listed(answers[key])}." for key, words in _WRONG if answers[key]]


def compare(there: Mapping[str, Any], restored: Mapping[str, Any], window_seconds: float) -> Compared:
    """Compare the counts of seats per screening: of the database that leads, and of its restored copy."""
    sold, copied = there["screenings"], restored["screenings"]
    differing = []
    for screening in sorted(set(sold) | set(copied), key=int):
        seats, fresh, returned = sold.get(screening, (0, 0, 0))
        found = copied.get(screening, (0, 0, 0))[0]
        if not seats - fresh <= found <= seats + returned:
            differing.append(f"screening {screening} has {found} seats sold, and {seats} where it was copied from")
    findings: tuple[str, ...] = ()
    if differing:
        findings = (
            f"sales differ: {_listed(differing)}. Only what was sold or given back within {window_seconds:g} s before "
            f"{there['moment']} may be missing.",
        )
    return Compared(findings, len(sold), max(0, there["bookings"] - restored["bookings"]))


def _listed(told: list[str]) -> str:
    rest = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return f"{'; '.join(told[:NAMED])}{rest}"
