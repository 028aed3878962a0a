"""Judge what arrived: each delivery in one transaction, in the order of arrival, one node at a time."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from runner import payloads
from runner.errors import InvalidRequest, StoreUnavailable
from runner.model import Alert, AlertStatus, Decision, Verdict
from runner.policy.again import decided_anew
from runner.policy.decide import decide
from runner.policy.policies import spoken_of
from runner.service.making import make_job
from runner.service.situations import planned, situation
from runner.service.wishes import DECIDING
from runner.store import heartbeats, inbox, ledger, marks, outbox
from runner.store.engine import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from runner.service.rules import Rules
    from runner.store.engine import Store
    from runner.store.inbox import Delivery
    from runner.store.ledger import Entry

log = logging.getLogger("runner.service")
BATCH = 500  # deliveries looked up at once


@dataclasses.dataclass(frozen=True, slots=True)
class _Court:
    """What does not change while a batch is judged."""

    rules: Rules
    now: datetime
    planned_servers: int
    random: Callable[[], int]


def judge(store: Store, rules: Rules, clock: Callable[[], datetime], random: Callable[[], int]) -> int:
    """Judge the oldest deliveries that nobody judged yet, up to `BATCH`; return how many there were.

    Safe to call on several nodes at once and again after a crash at any moment. Raises StoreUnavailable.
    """
    with store.read() as connection:
        waiting = inbox.unjudged(connection, BATCH)
        wanted = planned(connection, rules, clock()).servers if waiting else 0
    for delivery in waiting:
        court = _Court(rules, clock(), wanted, random)
        try:
            with store.write() as connection:
                lock(connection, DECIDING)
                _judge(connection, delivery, court)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("event=delivery_unjudgeable delivery=%d", delivery.id)
            _set_aside(store, delivery, error, court.now)
    return len(waiting)


def foresee(store: Store, rules: Rules, alert: Alert, now: datetime) -> Decision:
    """Return what would be decided about an alert now, and do nothing. Raises StoreUnavailable."""
    with store.read() as connection:
        seen = situation(connection, rules, now, planned(connection, rules, now).servers)
    return decide(alert, seen, rules.policies)


def _judge(connection: Connection, delivery: Delivery, court: _Court) -> None:
    try:
        alerts = payloads.deliveries(delivery.body, delivery.content_type)
    except InvalidRequest as error:
        inbox.mark_judged(connection, delivery.id, court.now, str(error))
        return
    # First the mark: when another node was quicker, nothing else of this transaction happens.
    if inbox.mark_judged(connection, delivery.id, court.now):
        for alert in alerts:
            _hear(connection, alert, delivery, court)


def _set_aside(store: Store, delivery: Delivery, error: Exception, now: datetime) -> None:
    """Keep one delivery that nobody can judge from stopping all others, and say so."""
    problem = f"Delivery {delivery.id} cannot be judged: {type(error).__name__}: {error}"
    with store.write() as connection:
        if inbox.mark_judged(connection, delivery.id, now, problem):
            outbox.add(connection, now, "alarm", "An alert could not be judged.", f"{problem}. Its body is kept.")


def _hear(connection: Connection, alert: Alert, delivery: Delivery, court: _Court) -> None:
    policies = court.rules.policies
    if alert.status is AlertStatus.FIRING:
        if policies.heartbeat and alert.name == policies.heartbeat.alertname:
            heartbeats.seen(connection, alert.name, delivery.received_at)
        for policy in spoken_of(alert, policies):
            marks.fired(connection, policy.name, delivery.received_at)
    last = _last(connection, alert)
    if last is None:
        _decide(connection, alert, delivery, court, alert.fingerprint)
        return
    entry, number = last
    if not decided_anew(alert, _decision(entry), entry.at, court.now, policies):
        ledger.repeat(connection, entry.id, delivery.received_at)
        return
    anew = _considered(connection, alert, court)
    if (anew.verdict, anew.until) == (entry.verdict, entry.until) and not _acts(anew):
        ledger.repeat(connection, entry.id, delivery.received_at)
        return
    _record(connection, alert, delivery, court, (anew, f"{alert.fingerprint}#{number + 1}"))


def _last(connection: Connection, alert: Alert) -> tuple[Entry, int] | None:
    """Return the last decision about an alert, and how many there were.

    An alert that is decided anew gets another row, whose fingerprint ends in #2, #3 and so on.
    """
    _, starts_at, status = alert.identity
    found, number = ledger.find(connection, alert.identity), 1
    if found is None:
        return None
    while (later := ledger.find(connection, (f"{alert.fingerprint}#{number + 1}", starts_at, status))) is not None:
        found, number = later, number + 1
    return found, number


def _decide(connection: Connection, alert: Alert, delivery: Delivery, court: _Court, fingerprint: str) -> None:
    _record(connection, alert, delivery, court, (_considered(connection, alert, court), fingerprint))


def _considered(connection: Connection, alert: Alert, court: _Court) -> Decision:
    seen = situation(connection, court.rules, court.now, court.planned_servers)
    return decide(alert, seen, court.rules.policies)


def _acts(decision: Decision) -> bool:
    return decision.verdict in {Verdict.RUN, Verdict.ASK}


def _record(
    connection: Connection, alert: Alert, delivery: Delivery, court: _Court, decided: tuple[Decision, str]
) -> None:
    decision, fingerprint = decided
    job = make_job(
        connection, decision, f"policy:{decision.policy}", rules=court.rules, now=court.now, random=court.random
    )
    entry = ledger.Entry(
        at=court.now,
        source=alert.source,
        name=alert.name,
        verdict=decision.verdict,
        reason=decision.reason,
        labels=alert.labels,
        fingerprint=fingerprint,
        starts_at=alert.starts_at,
        status=alert.status,
        policy=decision.policy,
        action=decision.action,
        target=decision.target,
        until=decision.until,
        job_id=job.id if job else None,
        delivery_id=delivery.id,
        last_at=delivery.received_at,
    )
    ledger.add(connection, entry)
    log.info(
        "event=alert_judged alert=%s verdict=%s job=%s delivery=%d",
        alert.name,
        entry.verdict,
        entry.job_id,
        delivery.id,
    )


def _decision(entry: Entry) -> Decision:
    return Decision(entry.verdict, entry.reason, policy=entry.policy, action=entry.action, until=entry.until)
