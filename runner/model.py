"""What the runner speaks of: alerts, decisions, jobs and what became of them (pure values)."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

Site = Literal["colo", "cloud"]
Scalar = str | int | float | bool
Variables = Mapping[str, Scalar]


class AlertStatus(enum.StrEnum):
    """The two states in which Alertmanager and Grafana send an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclasses.dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a delivery. Times are aware, in UTC. Source: Alertmanager webhook version 4."""

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    source: str

    @property
    def name(self) -> str:
        """Return the alert's name, as its rule gives it."""
        return self.labels.get("alertname", "")

    @property
    def identity(self) -> tuple[str, datetime, AlertStatus]:
        """Return what makes two deliveries the same alert."""
        return (self.fingerprint, self.starts_at, self.status)


class Verdict(enum.StrEnum):
    """What becomes of an alert, a schedule or a wish. The ledger shows these words."""

    RUN = "run"  # became a job
    ASK = "ask"  # became a job that waits for a person's approval
    MERGED = "merged"  # a job of the same target is on its way and covers it
    HELD = "held"  # cool-down, block period, hysteresis or the brake
    REFUSED = "refused"  # floor, ceiling, stale inventory: must not be done now
    REPEAT = "repeat"  # seen before: same fingerprint, start and status
    NO_MATCH = "no_match"  # no policy speaks of it
    NOT_OURS = "not_ours"  # the other site's runner owns the action
    RESOLVED = "resolved"  # over before anything was started, or nothing to do at its end


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reason: a sentence a tired person can act on."""

    verdict: Verdict
    reason: str
    policy: str | None = None
    action: str | None = None
    target: str | None = None
    variables: Variables = dataclasses.field(default_factory=dict)
    approvals: int = 0
    until: datetime | None = None  # a hold ends by itself at this moment


class JobState(enum.StrEnum):
    """The life of a job. Ended ones never change again."""

    WAITING = "waiting"  # for approval
    QUEUED = "queued"  # approved; waits for its lock or a free place
    RUNNING = "running"
    CANCELLING = "cancelling"  # a person asked to stop it; its processes are being ended
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"  # said only when no process of it is left
    REJECTED = "rejected"  # approval was refused, or not given in time


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.REJECTED})
NEXT: Mapping[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset({JobState.QUEUED, JobState.REJECTED, JobState.CANCELLED}),
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLING}),
    # A job may end by itself while it is being stopped: then its own outcome is the truth.
    JobState.CANCELLING: frozenset({JobState.CANCELLED, JobState.SUCCEEDED, JobState.FAILED}),
    **dict.fromkeys(ENDED, frozenset[JobState]()),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One run of an action against one target. `attempt` counts starts, from 1; 0 means never started."""

    id: str
    action: str
    target: str
    variables: Variables
    state: JobState
    reason: str
    requested_by: str
    created_at: datetime
    approvals_needed: int = 0
    approved_by: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    node: str | None = None
    outcome: str | None = None  # a sentence
    acknowledged_by: str | None = None


class Ending(enum.StrEnum):
    """How a playbook run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NO_HOSTS = "no_hosts"  # the play matched no host: never a success
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    FENCED = "fenced"  # the node lost its lease: another node may run the job now


@dataclasses.dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a playbook run came to. `counts`: host -> {ok, changed, failures, unreachable, skipped}."""

    ending: Ending
    summary: str
    started_at: datetime
    ended_at: datetime
    first_task_at: datetime | None = None
    counts: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    results: Variables = dataclasses.field(default_factory=dict)  # set_stats of the playbook, scalars only


@dataclasses.dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a job's story: a state change or a task's result. Never holds a secret."""

    job_id: str
    number: int  # per job, from 1, without gaps
    at: datetime
    kind: str  # state, play, task, ok, changed, failed, unreachable, skipped, stats, note
    text: str
    host: str | None = None
    task: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """How many burst servers there are and how well that is known. `wanted` is what the last decision asked for."""

    wanted: int
    ready: int
    age_seconds: float  # of the observation
    stale: bool  # the inventory served its last good list: adding is allowed, removing is not
    allowed: int | None = None  # how many the cloud's quota lets there be; None: without limit, or not known
