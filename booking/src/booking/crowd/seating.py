"""Choose seats as people do: side by side, and fewer when there is no room for all.

Pure: randomness comes in as an argument.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

_SEAT = re.compile(r"^(.*?)(\d+)$")


def rows_of(seats: Iterable[str]) -> list[list[str]]:
    """Split seats such as A1, A2, B7 into runs of neighbours."""
    placed = sorted((found[1], int(found[2]), seat) for seat in seats if (found := _SEAT.match(seat)))
    runs: list[list[str]] = []
    before: tuple[str, int] | None = None
    for row, number, seat in placed:
        if before == (row, number - 1):
            runs[-1].append(seat)
        else:
            runs.append([seat])
        before = (row, number)
    return runs


def choose(free: Iterable[str], party: int, random: Random) -> tuple[str, ...]:
    """Pick `party` neighbouring free seats, or the largest smaller number that has room; empty when all are gone."""
    runs = rows_of(free)
    if not runs:
        return ()
    party = min(party, max(len(run) for run in runs))
    starts = [(run, first) for run in runs for first in range(len(run) - party + 1)]
    run, first = random.choice(starts)
    return tuple(run[first : first + party])
