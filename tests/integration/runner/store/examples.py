"""Jobs and moments for the tests of the store."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from runner.model import Job, JobEvent, JobState

NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def job(job_id: str, state: JobState = JobState.QUEUED, **other: object) -> Job:
    """A job that scales out."""
    plain = Job(
        id=job_id,
        action="scale_out",
        target="capacity",
        variables={"wanted_servers": 3},
        state=state,
        reason="BookingSlow fired.",
        requested_by="policy crowd",
        created_at=NOON,
    )
    return dataclasses.replace(plain, **other)  # type: ignore[arg-type]


def told(text: str, job_id: str = "a") -> JobEvent:
    """An event that has no number yet."""
    return JobEvent(job_id=job_id, number=0, at=NOON, kind="note", text=text)
