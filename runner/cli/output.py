"""Write for people: tables, moments in the local zone with their age, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.cli.session import Surroundings

WIDE = 240  # columns, where nobody looks: rows stay whole for grep
_STEPS = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))
STYLES: Mapping[str, str] = {
    "succeeded": "green", "ok": "green", "run": "green",
    "changed": "yellow", "waiting": "yellow", "ask": "yellow", "held": "yellow", "cancelling": "yellow",
    "running": "cyan", "queued": "cyan", "merged": "cyan",
    "failed": "bold red", "refused": "red", "unreachable": "bold red", "cancelled": "red", "rejected": "red",
    "skipped": "dim", "repeat": "dim", "no_match": "dim", "not_ours": "dim", "resolved": "dim",
}  # fmt: skip


def console() -> Console:
    """Return where to write: no colour and no line breaks of ours when it is not a terminal."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=terminal,
        no_color=None if terminal else True,
        width=None if terminal else WIDE,
        markup=False,
        highlight=False,
        emoji=False,
    )


def as_json(text: str) -> None:
    """Write the API's own JSON."""
    typer.echo(text.strip())


def own_json(value: object) -> None:
    """Write a value of ours as JSON."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def clean(value: object) -> str:
    """Write a value on one line; what a terminal would obey is replaced: names of alerts come from outside."""
    text = "" if value is None else str(value)
    return "".join(
        each if each.isprintable() else " " if each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text
    )


def worded(value: object) -> Text:
    """Write a word such as a job's state in its colour."""
    return Text(clean(value), STYLES.get(str(value), ""))


def age(seconds: float) -> str:
    """Write how long ago something was, or how soon it will be: `3 min ago`, `in 2 h`."""
    left = abs(seconds)
    unit, size = next((each for each in _STEPS if left >= each[1]), _STEPS[-1])
    count = int(left // size)
    words = f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"in {words}" if seconds < 0 and count else f"{words} ago"


def span(seconds: float) -> str:
    """Write how long something takes: `4.2 s`, `3 min 5 s`."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(text: str | None, around: Surroundings) -> str:
    """Write a moment of the API in the local zone, with its age."""
    if not text:
        return ""
    at, now = datetime.fromisoformat(text), around.clock()
    return f"{clock(text, around)} ({age((now - at).total_seconds())})"


def clock(text: str, around: Surroundings) -> str:
    """Write a moment of the API in the local zone; with its date when it is not today's."""
    local, today = (each.astimezone(around.zone) for each in (datetime.fromisoformat(text), around.clock()))
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"


def pairs(values: Mapping[str, Any]) -> str:
    """Write variables as they are given on the command line."""
    return clean(" ".join(f"{name}={_literal(value)}" for name, value in values.items()))


def table(*headings: str, title: str | None = None) -> Table:
    """Return an empty table; the columns after the first may break over lines."""
    made = Table(box=SIMPLE, pad_edge=False, title=title, title_justify="left")
    for index, heading in enumerate(headings):
        made.add_column(heading, no_wrap=index == 0, overflow="fold")
    return made


def card(rows: Sequence[tuple[str, object]]) -> Table:
    """Return names and values, one pair a row; empty values are left out."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        shown = value if isinstance(value, Text) else clean(value)
        if shown:
            made.add_row(name, shown)
    return made


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
