"""Raise the alarm when what should come does not: the heartbeat alert, and the servers of the next busy hour."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.service.situations import planned
from runner.store import heartbeats, outbox, schedules

if TYPE_CHECKING:
    from runner.service.rules import Rules
    from runner.store.engine import Store

log = logging.getLogger("runner.worker")
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def check(store: Store, rules: Rules, now: datetime, since: datetime) -> bool:
    """Raise one alarm for each silence of the heartbeat; return whether it was raised now.

    A heartbeat that never came is missed from `since`, the start of this worker. Raises StoreUnavailable.
    """
    heartbeat = rules.policies.heartbeat
    if heartbeat is None:
        return False
    with store.read() as connection:
        last = heartbeats.last(connection, heartbeat.alertname)
    if now - max(last or NEVER, since) <= heartbeat.silent_after:
        return False
    heard = f"was last heard at {last:%Y-%m-%d %H:%M:%S} UTC" if last else "was never heard"
    text = f"The heartbeat {heartbeat.alertname} {heard}: no alert may reach us. Look at Prometheus and Alertmanager."
    return _once(store, f"heartbeat:{heartbeat.alertname}", last or NEVER, (now, "No heartbeat", text))


def check_readiness(store: Store, rules: Rules, now: datetime) -> bool:
    """Raise an alarm, at most one an hour, when the next busy hour will not be ready by itself."""
    if rules.calendar is None:
        return False
    with store.read() as connection:
        ready = planned(connection, rules, now).readiness
    if ready is None or not ready.alarm:
        return False
    hour = now.replace(minute=0, second=0, microsecond=0)
    return _once(store, "readiness", hour, (now, "The next busy hour is not ready", ready.text))


def _once(store: Store, name: str, moment: datetime, alarm: tuple[datetime, str, str]) -> bool:
    now, title, text = alarm
    with store.write() as connection:
        if not schedules.fired(connection, name, moment, now):
            return False
        outbox.add(connection, now, "alarm", title, text)
    log.error("event=alarm name=%s text=%r", name, text)
    return True
