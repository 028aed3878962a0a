"""The shapes of requests and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from runner.model import JobState, Verdict  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from pydantic.config import JsonDict, JsonValue

PLAIN = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and a log line is one line
LARGEST_NUMBER = 2**63 - 1
Value = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=200)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]
Reason = Annotated[StrictStr, Field(max_length=500, pattern=PLAIN)]
JOB = "20261125-0752-scale_out-4f2a"


def _example(**values: JsonValue) -> JsonDict:
    return {"examples": [values]}


class Request(BaseModel):
    """A body in which nothing may stand that is not known."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A body made from a value of the service."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """What went wrong: a code for programs and a sentence for people."""

    code: str
    message: str


class Failure(BaseModel):
    """The one shape of errors."""

    model_config = ConfigDict(json_schema_extra=_example(error={"code": "refused", "message": "Not now, because."}))

    error: Problem


class JobRequest(Request):
    """A person's wish. `insist`: also while the brake is on."""

    model_config = ConfigDict(json_schema_extra=_example(action="scale_out", variables={"wanted_servers": 4}))

    action: Name
    variables: Annotated[dict[Name, Value], Field(max_length=20)] = {}
    insist: StrictBool = False


class RejectRequest(Request):
    """Why approval is refused."""

    model_config = ConfigDict(json_schema_extra=_example(reason="The opening was moved to Friday."))

    reason: Reason = ""


class BrakeRequest(Request):
    """The brake as it shall be. It needs a reason to be put on."""

    model_config = ConfigDict(json_schema_extra=_example(on=True, reason="The cloud is being moved until 18:00."))

    on: StrictBool
    reason: Reason = ""


class JobAnswer(Answer):
    """One run of an action. Times in UTC. `attempt` counts starts, from 1; 0 means never started."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            id=JOB,
            action="scale_out",
            target="capacity",
            variables={"wanted_servers": 4},
            state="succeeded",
            reason="BookingSlow: from 2 to 4 servers.",
            requested_by="policy:crowd",
            created_at="2026-11-25T07:52:10.104Z",
            approvals_needed=0,
            approved_by=[],
            started_at="2026-11-25T07:52:10.391Z",
            ended_at="2026-11-25T07:52:31.220Z",
            attempt=1,
            node="cloud-ops1",
            outcome="4 burst servers serve.",
            acknowledged_by=None,
        )
    )

    id: str
    action: str
    target: str
    variables: dict[str, bool | int | float | str]
    state: JobState
    reason: str
    requested_by: str
    created_at: datetime
    approvals_needed: int
    approved_by: list[str]
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int
    node: str | None
    outcome: str | None
    acknowledged_by: str | None


class DecisionAnswer(Answer):
    """A verdict with its reason."""

    verdict: Verdict
    reason: str
    policy: str | None
    action: str | None
    target: str | None
    variables: dict[str, bool | int | float | str]
    approvals: int
    until: datetime | None


class SubmitAnswer(Answer):
    """What became of a wish; `job` is the one that was made or that covers it."""

    decision: DecisionAnswer
    job: JobAnswer | None


class JobsAnswer(Answer):
    """Jobs, newest first. `before`: pass it to read on; null at the end."""

    jobs: list[JobAnswer]
    before: str | None


class EventAnswer(Answer):
    """One line of a job's story, the data of one server-sent event.

    `kind`: state, play, task, ok, changed, failed, unreachable, skipped, stats or note.
    """

    model_config = ConfigDict(
        json_schema_extra=_example(
            job_id=JOB,
            number=7,
            at="2026-11-25T07:52:14.020Z",
            kind="changed",
            text="Create the server",
            host="localhost",
            task="Create the server",
        )
    )

    job_id: str
    number: int
    at: datetime
    kind: str
    text: str
    host: str | None
    task: str | None


class LedgerLineAnswer(Answer):
    """One alert, wish or firing of a schedule, and what became of it.

    `at`: when it was judged; `last_at`: when it came, or last came again.
    """

    id: int
    at: datetime
    name: str
    verdict: Verdict
    reason: str
    source: str
    policy: str | None
    action: str | None
    target: str | None
    job: str | None
    repeats: int
    last_at: datetime | None
    until: datetime | None


class LedgerAnswer(Answer):
    """The ledger, newest first. `before`: pass it to read on; null at the end."""

    lines: list[LedgerLineAnswer]
    before: int | None


class CapacityAnswer(Answer):
    """Burst servers: how many are wanted and ready, and how well that is known; null: never observed.

    `allowed`: how many the cloud's quota lets there be; null: without limit, or not known.
    """

    known: bool
    wanted: int | None = None
    ready: int | None = None
    age_seconds: float | None = None
    stale: bool | None = None
    allowed: int | None = None


class PlannedServersAnswer(Answer):
    """How many burst servers the calendar wants from a moment on, and why."""

    at: datetime
    servers: int
    reason: str


class PlanAnswer(Answer):
    """The capacity plan: the servers it wants now (early start included), and in the next hours.

    `readiness`: a sentence about the next busy hour; `alarm`: it will not be ready by itself. `allowed`: how many the
    cloud's quota lets there be; null: without limit, or not known.
    """

    servers: int
    reason: str
    readiness: str | None
    alarm: bool
    allowed: int | None
    hours: list[PlannedServersAnswer]


class BrakeAnswer(Answer):
    """The brake: on stops all automatic action."""

    on: bool
    reason: str | None
    by: str | None
    since: datetime | None


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Whether the runner can take alerts and act on them. `problems` may stand also where it can."""

    ready: bool
    problems: list[str]


class Taken(BaseModel):
    """How many alerts of a delivery are on disk."""

    alerts: int
