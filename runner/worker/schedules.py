"""Fire the schedules: each moment once, also with several nodes and after a restart."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from croniter import croniter  # type: ignore[import-untyped]

from runner.errors import InvalidRequest
from runner.policy.wishes import BY_SCHEDULE
from runner.service import wishes
from runner.store import schedules

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from runner.policy.policies import Schedule
    from runner.service.rules import Rules
    from runner.store.engine import Store

log = logging.getLogger("runner.worker")
WINDOW = timedelta(minutes=30)  # a firing that was missed is made up for within this time


def last_moment(cron: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the latest moment, `now` included, that a cron line of five fields names in a time zone; in UTC."""
    just_after = now.astimezone(zone) + timedelta(seconds=1)
    found: datetime = croniter(cron, just_after).get_prev(datetime)
    return found.astimezone(UTC)


def fire_due(store: Store, rules: Rules, now: datetime, since: datetime, random: Callable[[], int]) -> int:
    """Fire what is due, and return how many. A moment is due when it came after the last one that was acted on.

    A schedule that never fired counts from `since`, the start of this worker: a new line in the file does not fire for
    a time before it was there. Raises StoreUnavailable.
    """
    return sum(_fire(store, rules, each, (now, since), random) for each in rules.policies.schedules)


def _fire(
    store: Store, rules: Rules, schedule: Schedule, times: tuple[datetime, datetime], random: Callable[[], int]
) -> bool:
    now, since = times
    moment = last_moment(schedule.cron, rules.policies.time_zone, now)
    if now - moment > WINDOW:
        return False
    with store.read() as connection:
        last = schedules.last_fired(connection, schedule.name)
    if (last is not None and last >= moment) or (last is None and moment < since):
        return False
    with store.write() as connection:
        by = f"{BY_SCHEDULE}{schedule.name}"
        if not schedules.fired(connection, schedule.name, moment, now):
            return False
        try:
            decision, job = wishes.wish(
                connection, schedule.action.name, schedule.variables, by, rules=rules, now=now, random=random
            )
        except InvalidRequest as error:
            log.error("event=schedule_refused schedule=%s reason=%s", schedule.name, error)  # noqa: TRY400 - a refusal, not a fault
            return True
    log.info(
        "event=schedule_fired schedule=%s moment=%s verdict=%s job=%s",
        schedule.name,
        moment.isoformat(),
        decision.verdict,
        job.id if job else None,
    )
    return True
