"""The options and arguments that several commands share, and how what a person types becomes a job's variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.actions import CATALOGUE, action_named, checked
from runner.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.actions import Variable
    from runner.model import Variables

TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def actions(incomplete: str) -> list[tuple[str, str]]:
    """Complete the name of an action."""
    return [(name, each.about) for name, each in sorted(CATALOGUE.items()) if name.startswith(incomplete)]


def variables(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete the name of a variable of the action that was typed before."""
    action = CATALOGUE.get(str(context.params.get("action")))
    known = action.variables if action else {}
    return [(f"{name}=", each.about) for name, each in known.items() if f"{name}=".startswith(incomplete)]


AsJson = Annotated[bool, typer.Option("--json", help="write JSON, for programs")]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="at most so many")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="a job's name, as `understudy jobs` shows it")]
ActionName = Annotated[str, typer.Argument(metavar="ACTION", help="what to do", autocompletion=actions)]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="the action's variables", autocompletion=variables),
]
Alerts = Annotated[
    Path, typer.Option("--alert", help="a saved delivery of Alertmanager or Grafana, or one alert; - reads stdin")
]


def given(action: str, assignments: Sequence[str]) -> Variables:
    """Return the variables that were typed as name=value, each of the type that the catalogue wants.

    Raises InvalidRequest for an unknown action, an unknown variable or a value that does not fit.
    """
    known = action_named(action)
    values: dict[str, object] = {}
    for each in assignments:
        name, equals, text = each.partition("=")
        if not equals or not name:
            raise InvalidRequest(f"{each!r} is not understood; write NAME=VALUE, such as wanted_servers=3.")
        if name in values:
            raise InvalidRequest(f"{name} is given twice; give it once.")
        values[name] = _typed(known.variables.get(name), text)
    return checked(known, values)


def _typed(variable: Variable | None, text: str) -> object:
    """Return the value that a text stands for; a text that does not fit stays a text, which the check refuses."""
    if variable is None or variable.kind is str:
        return text
    if variable.kind is bool:
        return TRUTHS.get(text.lower(), text)
    try:
        return int(text)
    except ValueError:
        return text
