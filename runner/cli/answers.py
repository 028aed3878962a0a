"""Write an answer of the API: as it came, or as a picture for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from runner.cli.api import Answer
    from runner.cli.session import Session

type Picture = Literal["brake", "capacity", "job", "jobs", "ledger", "line", "plan", "submitted"]


def write(session: Session, answer: Answer, picture: Picture, *, as_json: bool) -> None:
    """Write it. `picture` names a function of `pictures`."""
    if as_json:
        typer.echo(answer.text.strip())
        return
    from runner.cli import pictures  # noqa: PLC0415 - rich takes a tenth of a second, and programs need no tables

    getattr(pictures, picture)(answer.data, session.around)
