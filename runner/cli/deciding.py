"""The commands that try the rules: `decide` says what an alert would lead to, `check-policies` reads a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import session as sessions
from runner.cli.words import Alerts, AsJson  # noqa: TC001 - typer reads the annotations
from runner.errors import InvalidRequest

if TYPE_CHECKING:
    from runner.cli.session import Session
    from runner.model import Site

DEFAULT_POLICIES = "/etc/understudy/policies.yml"


def decide(
    context: typer.Context,
    alert: Alerts,
    *,
    policies: Annotated[Path | None, typer.Option(help="the policy file; else the one of the settings")] = None,
    calendar: Annotated[Path | None, typer.Option(help="the calendar file; else the one of the settings")] = None,
    site: Annotated[str | None, typer.Option(help="colo or cloud; else the one of the settings, or cloud")] = None,
    servers: Annotated[int | None, typer.Option(min=0, max=200, help="pretend that so many are ready")] = None,
    live: Annotated[bool, typer.Option("--live", help="judge from this machine's store, as it is now")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what would become of a saved alert and why, and do nothing. Needs no running service.

    Without --live nothing else is going on: no job, no brake, and no server that anybody listed. Each alert of a
    delivery is judged by itself.
    """
    session = sessions.of(context)
    from runner.cli import foreseeing  # noqa: PLC0415 - the rules and the store take most of a second to load

    body = _read(alert)
    if live:
        given = {"--policies": policies, "--calendar": calendar, "--site": site, "--servers": servers}
        if unused := [name for name, value in given.items() if value is not None]:
            raise typer.BadParameter(f"--live takes {unused[0].removeprefix('--')} from the settings and the store.")
        found = foreseeing.live(session.around, body)
    else:
        environment = session.around.environment
        policies = policies or Path(environment.get("UNDERSTUDY_POLICIES_FILE") or DEFAULT_POLICIES)
        if calendar is None and environment.get("UNDERSTUDY_CALENDAR_FILE"):
            calendar = Path(environment["UNDERSTUDY_CALENDAR_FILE"])
        found = foreseeing.alone(session.around, body, policies, calendar, site=_site(session, site), servers=servers)
    foreseeing.show(found, session.around, as_json=as_json)


def check_policies(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a policy file")],
    *,
    calendar: Annotated[Path | None, typer.Option(help="a calendar file, to be read too")] = None,
) -> None:
    """Read a policy file; exit code 2, with file, key and value, when it would be refused."""
    session = sessions.of(context)
    from runner.cli import foreseeing  # noqa: PLC0415 - the rules take half a second to load

    typer.echo(foreseeing.read_rules(file, calendar, _site(session, None)))


def _site(session: Session, given: str | None) -> Site:
    chosen = given or session.around.environment.get("UNDERSTUDY_SITE") or "cloud"
    if chosen == "colo":
        return "colo"
    if chosen == "cloud":
        return "cloud"
    raise InvalidRequest(f"The site is {chosen!r}; expected colo or cloud.")


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"The alert {file} cannot be read: {error.strerror}.") from error
