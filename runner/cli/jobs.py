"""The commands about jobs: submit, list, show, follow, and what a person does to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.actions import action_named
from runner.cli import answers
from runner.cli import session as sessions
from runner.cli.words import ActionName, AsJson, Assignments, JobId, Limit, Sure, given
from runner.model import JobState

if TYPE_CHECKING:
    from runner.cli.api import Api
    from runner.cli.session import Session

TAIL = 10  # lines of a job's story that `show` shows


def submit(
    context: typer.Context,
    action: ActionName,
    assignments: Assignments = None,
    *,
    insist: Annotated[bool, typer.Option("--insist", help="also while the brake is on")] = False,
    follow_it: Annotated[bool, typer.Option("--follow", help="follow the job to its end")] = False,
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Ask for an action. Exit code 1 when it is refused or held, or when the job that is followed fails."""
    session = sessions.of(context)
    variables = given(action, assignments or ())
    if action_named(action).removes:
        session.confirm(f"{action} takes servers away. Go on?", sure=sure)
    api = session.api()
    answer = api.send("POST", "/jobs", {"action": action, "variables": dict(variables), "insist": insist})
    answers.write(session, answer, "submitted", as_json=as_json)
    if follow_it:
        _follow(session, api, answer.data["job"]["id"], as_json=as_json)


def jobs(
    context: typer.Context,
    *,
    state: Annotated[list[JobState] | None, typer.Option(help="only these; may be given several times")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    session = sessions.of(context)
    answer = session.api().get("/jobs", state=sorted(state or ()), limit=limit)
    answers.write(session, answer, "jobs", as_json=as_json)


def show(context: typer.Context, job: JobId, *, as_json: AsJson = False) -> None:
    """Show one job: why, what was decided, who approved, and the end of its story."""
    session = sessions.of(context)
    api = session.api()
    answer = api.get(f"/jobs/{job}")
    if as_json:
        answers.write(session, answer, "job", as_json=as_json)
        return
    from runner.cli import pictures  # noqa: PLC0415 - only people need tables

    pictures.job(answer.data, session.around, _tail(api, job))


def follow(context: typer.Context, job: JobId, *, as_json: AsJson = False) -> None:
    """Follow a job to its end; exit code 0 when it succeeded, 1 when it did not."""
    session = sessions.of(context)
    _follow(session, session.api(), job, as_json=as_json)


def cancel(context: typer.Context, job: JobId, *, sure: Sure = False, as_json: AsJson = False) -> None:
    """Stop a job. It is `cancelled` only when nothing of it runs any more."""
    session = sessions.of(context)
    session.confirm(f"Stop job {job}?", sure=sure)
    answers.write(session, session.api().send("POST", f"/jobs/{job}/cancel"), "line", as_json=as_json)


def approve(context: typer.Context, job: JobId, *, as_json: AsJson = False) -> None:
    """Approve a job that waits."""
    session = sessions.of(context)
    answers.write(session, session.api().send("POST", f"/jobs/{job}/approve"), "line", as_json=as_json)


def reject(
    context: typer.Context,
    job: JobId,
    *,
    reason: Annotated[str, typer.Option(help="why, for whoever asked for it")] = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Refuse a job that waits for approval, for good."""
    session = sessions.of(context)
    session.confirm(f"Reject job {job} for good?", sure=sure)
    answers.write(
        session, session.api().send("POST", f"/jobs/{job}/reject", {"reason": reason}), "line", as_json=as_json
    )


def acknowledge(context: typer.Context, job: JobId, *, as_json: AsJson = False) -> None:
    """Tell that you have seen how a job ended: its block period ends."""
    session = sessions.of(context)
    answers.write(session, session.api().send("POST", f"/jobs/{job}/acknowledge"), "line", as_json=as_json)


def _follow(session: Session, api: Api, job: str, *, as_json: bool) -> None:
    from runner.cli import following, output, pictures  # noqa: PLC0415 - only this needs the live display

    if as_json:
        ended = following.follow(api, job, following.Lines(), session.around.wait)
    else:
        play = following.Play(session.around, output.console())
        with play.shown():
            ended = following.follow(api, job, play, session.around.wait)
        pictures.line(ended.data, session.around)
    if ended.data["state"] != JobState.SUCCEEDED:
        raise typer.Exit(1)


def _tail(api: Api, job: str) -> list[dict[str, Any]]:
    """Return the last lines of a job's story."""
    lines: list[dict[str, Any]] = []
    while True:
        after = lines[-1]["number"] if lines else 0
        found = api.get(f"/jobs/{job}/events", after=after, limit=500).data
        lines = [*lines, *found][-TAIL:]
        if len(found) < 500:
            return lines
