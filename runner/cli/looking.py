"""The commands that look at the runner, and the brake."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from runner.cli import answers
from runner.cli import session as sessions
from runner.cli.words import AsJson, Limit  # noqa: TC001 - typer reads the annotations
from runner.model import Verdict  # noqa: TC001 - typer reads the annotations


class Position(StrEnum):
    """What to do about the brake."""

    ON = "on"
    OFF = "off"
    SHOW = "show"


def ledger(
    context: typer.Context,
    *,
    verdict: Annotated[Verdict | None, typer.Option(help="only what this became of")] = None,
    name: Annotated[str | None, typer.Option(help="only this alert, schedule or action")] = None,
    limit: Limit = 30,
    as_json: AsJson = False,
) -> None:
    """Show what came (alerts, wishes, schedules), what became of it, and why; newest first."""
    session = sessions.of(context)
    answer = session.api().get("/ledger", verdict=verdict and str(verdict), name=name, limit=limit)
    answers.write(session, answer, "ledger", as_json=as_json)


def plan(
    context: typer.Context,
    *,
    hours: Annotated[int, typer.Option(min=1, max=336, help="how far to look ahead")] = 24,
    as_json: AsJson = False,
) -> None:
    """Show how many burst servers the calendar wants in the next hours, and why."""
    session = sessions.of(context)
    answers.write(session, session.api().get("/plan", hours=hours), "plan", as_json=as_json)


def capacity(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show how many burst servers are wanted and ready, and how old that knowledge is."""
    session = sessions.of(context)
    answers.write(session, session.api().get("/capacity"), "capacity", as_json=as_json)


def brake(
    context: typer.Context,
    position: Annotated[
        Position, typer.Argument(metavar="on|off|show", help="`on` stops all automatic action")
    ] = Position.SHOW,
    *,
    reason: Annotated[str, typer.Option(help="why; `on` needs one")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the brake, pull it or let it go. While it is on, nothing starts by itself."""
    session = sessions.of(context)
    if position is Position.ON and not reason.strip():
        raise typer.BadParameter("whoever finds the brake on must know why.", param_hint="--reason")
    api = session.api()
    if position is Position.SHOW:
        answer = api.get("/brake")
    else:
        answer = api.send("PUT", "/brake", {"on": position is Position.ON, "reason": reason.strip()})
    answers.write(session, answer, "brake", as_json=as_json)
