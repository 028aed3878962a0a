"""How many servers there shall be, within floor, plan and ceiling (pure)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.policy.situation import Situation


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """Between which numbers an alert may move the servers; `ceiling` is for adding only."""

    floor: int
    ceiling: int
    planned: int

    @property
    def least(self) -> int:
        """Return the fewest servers there may be: the floor or the plan, whichever is more."""
        return max(self.floor, self.planned)

    def raised(self, number: int) -> int:
        """Return the number an addition may ask for. The ceiling is absolute: it caps the plan too."""
        return min(max(number, self.least), self.ceiling)

    def lowered(self, number: int) -> int:
        """Return the number a removal may ask for: no more is removed at once than its step, whatever the ceiling."""
        return max(number, self.least)

    def limit(self, asked: int, wanted: int) -> str:
        """Say in brackets what changed the number that the step asked for; empty when nothing did."""
        if wanted < asked:
            return f" (the ceiling; the step asked for {asked})"
        if wanted > asked:
            return f" ({'the plan' if self.planned >= self.floor else 'the floor'}; the step asked for {asked})"
        return ""


def base_of(situation: Situation, bounds: Bounds) -> int:
    """Return the number a step starts from: what was wanted last or what is there, whichever is more.

    When nothing was ever observed it is the fewest there may be, so that adding works on the first day.
    """
    capacity = situation.capacity
    return bounds.least if capacity is None else max(capacity.wanted, capacity.ready)


def wanted_of(situation: Situation) -> int:
    """Return how many servers were wanted last; 0 when nothing was ever observed.

    What is still there does not count: it may be on its way out.
    """
    return situation.capacity.wanted if situation.capacity else 0


def stepped(situation: Situation, bounds: Bounds, step: int) -> int:
    """Return how many servers there shall be after a step: never below the floor or the plan (see `Bounds`).

    A step of 0 is as many as are wanted, also beyond the ceiling: it replaces what is lost and adds nothing.
    """
    if step == 0:
        wanted = wanted_of(situation)
        return max(wanted, bounds.raised(wanted))
    number = base_of(situation, bounds) + step
    return bounds.raised(number) if step > 0 else bounds.lowered(number)
