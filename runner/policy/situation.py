"""What a decision is made from, besides the alert itself: one moment of one site's runner (pure value)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runner.model import Capacity, Job, Site


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """One moment of one site. `now` and all other times are aware; `capacity` is None when nothing was ever observed.

    `active`: jobs that have not ended, in any order. `recent`: jobs that ended, back to the longest cool-down or block
    period of the policies, and an hour at least. `planned_servers`: what the capacity plan wants now, early start and a
    lost colo's servers included. `colo_back`: it came back a while ago and nothing was added since, so what stood in
    for it may go. `last_fired`: policy name -> when an alert that it matches last came as firing, repeats included.
    """

    now: datetime
    site: Site
    brake_reason: str | None = None
    active: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()
    capacity: Capacity | None = None
    planned_servers: int = 0
    colo_back: bool = False
    last_fired: Mapping[str, datetime] = dataclasses.field(default_factory=dict)
