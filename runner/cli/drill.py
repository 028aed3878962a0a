"""The command `understudy drill`: the drills themselves come with the lab, which the runner does not know."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from runner.cli.words import AsJson  # noqa: TC001 - typer reads the annotations
from runner.errors import InvalidRequest, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.metadata import EntryPoints

GROUP = "understudy.drills"


class Drills(Protocol):
    """What an entry point of the group offers."""

    def listed(self) -> Sequence[Mapping[str, str]]:
        """Return the drills there are."""

    def run(self, names: Sequence[str], *, keep: bool) -> int:
        """Run drills and return the exit code."""


def installed(points: Callable[..., EntryPoints] = entry_points) -> Any:
    """Return the drills that are installed here. Raises SettingsError when there are none."""
    for point in points(group=GROUP):
        try:
            return point.load()
        except ImportError as error:
            raise SettingsError(
                f"The drills of {point.name} cannot be loaded ({error}); run `make setup` in a checkout of the project."
            ) from error
    raise SettingsError(
        "There are no drills here: they break the lab on purpose, and no lab is installed. Run `make setup` and "
        "`make site` in a checkout of the project, then this command there."
    )


def drill(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ROW]...", help="rows of the failure matrix")] = None,
    *,
    show: Annotated[bool, typer.Option("--list", help="list the rows that can be drilled")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="add the figures to docs/measurements/drills.json")] = False,
    as_json: AsJson = False,
) -> None:
    """Break the lab on purpose while a crowd buys, judge what became of it, seal the evidence, and mend the lab.

    Exit code 1 when a row missed its deadline or lost something, 2 for a row that there is not.
    """
    perform(names or [], show=show, keep=keep, as_json=as_json, find=installed)


def perform(names: Sequence[str], *, show: bool, keep: bool, as_json: bool, find: Callable[[], Drills]) -> None:
    """List or run drills. Raises InvalidRequest when neither was asked for."""
    if not names and not show:
        raise InvalidRequest("Name a row of the failure matrix; `understudy drill --list` shows those there are.")
    drills = find()
    if not show:
        raise typer.Exit(drills.run(names, keep=keep))
    rows = drills.listed()
    from runner.cli import output  # noqa: PLC0415 - rich takes a tenth of a second

    if as_json:
        output.own_json(rows)
        return
    table = output.table(*rows[0]) if rows else output.table("drill")
    for row in rows:
        table.add_row(*(output.clean(value) for value in row.values()))
    output.console().print(table)
