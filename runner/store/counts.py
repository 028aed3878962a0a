"""How much there is of what: for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from runner.model import JobState, Verdict
from runner.store.tables import JOBS, LEDGER, OUTBOX

if TYPE_CHECKING:
    from sqlalchemy import Connection


def jobs(connection: Connection) -> dict[JobState, int]:
    """Return how many kept jobs are in each state; all states are there."""
    rows = connection.execute(select(JOBS.c.state, func.count()).group_by(JOBS.c.state))
    return {**dict.fromkeys(JobState, 0), **{JobState(state): count for state, count in rows}}


def ledger(connection: Connection) -> dict[Verdict, int]:
    """Return how many kept entries have each verdict; repeats are counted on the entries that they repeat."""
    columns = (LEDGER.c.verdict, func.count(), func.coalesce(func.sum(LEDGER.c.repeats), 0))
    found = dict.fromkeys(Verdict, 0)
    for verdict, count, repeats in connection.execute(select(*columns).group_by(LEDGER.c.verdict)):
        found[Verdict(verdict)] += count
        found[Verdict.REPEAT] += int(repeats)
    return found


def outbox(connection: Connection) -> int:
    """Return how many notifications are on their way."""
    query = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.sent_at.is_(None))
    return int(connection.execute(query).scalar_one())
