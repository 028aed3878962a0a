"""The commands about bearer tokens: they work on the tokens file of this machine."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner import tokens
from runner.cli import session as sessions
from runner.cli.words import AsJson, Sure  # noqa: TC001 - typer reads the annotations
from runner.errors import InvalidRequest, SettingsError
from runner.policy import durations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from runner.cli.session import Session

app = typer.Typer(no_args_is_help=True, help="Make, list and remove bearer tokens on this machine.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="who uses it; the ledger shows this name")]
File = Annotated[Path | None, typer.Option("--file", help="the tokens file; else UNDERSTUDY_TOKENS_FILE")]


def _scopes(incomplete: str) -> list[str]:
    return [each for each in tokens.SCOPES if each.startswith(incomplete)]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    *,
    scope: Annotated[
        list[str], typer.Option(help=f"one of {', '.join(tokens.SCOPES)}; several times", autocompletion=_scopes)
    ],
    expires: Annotated[str | None, typer.Option(help="how long it holds, such as 90d; else for ever")] = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once: only its digest is kept."""
    session = sessions.of(context)
    path = _path(session, file)
    until = None if expires is None else _until(session, expires)
    made = tokens.make(secrets.token_bytes)
    _save(path, tokens.added(tokens.load(path) if path.exists() else (), name, scope, made, until))
    if as_json:
        from runner.cli import output  # noqa: PLC0415 - rich takes a tenth of a second

        output.own_json({"name": name, "scopes": sorted(scope), "expires": until, "token": made})
        return
    typer.echo(made)
    typer.echo(f"This is the only time that the token of {name} is shown. Keep it in a file of mode 0600.", err=True)


@app.command("list")
def show(context: typer.Context, *, file: File = None, as_json: AsJson = False) -> None:
    """List the tokens: names, scopes and when they expire."""
    session = sessions.of(context)
    from runner.cli import output  # noqa: PLC0415 - rich takes a tenth of a second

    found = tokens.load(_path(session, file))
    if as_json:
        output.own_json([{"name": e.name, "scopes": sorted(e.scopes), "expires": e.expires} for e in found])
        return
    table = output.table("name", "scopes", "expires")
    for each in found:
        until = output.moment(each.expires.isoformat() if each.expires else None, session.around)
        table.add_row(each.name, " ".join(sorted(each.scopes)), until or "never")
    output.console().print(table if found else "There are no tokens.")


@app.command()
def remove(context: typer.Context, name: Name, *, file: File = None, sure: Sure = False) -> None:
    """Remove a token: whoever uses it is refused from the next request on."""
    session = sessions.of(context)
    path = _path(session, file)
    left = tokens.removed(tokens.load(path), name)
    session.confirm(f"Remove the token {name}?", sure=sure)
    _save(path, left)
    typer.echo(f"The token {name} is removed.")


def _path(session: Session, given: Path | None) -> Path:
    named = given or session.around.environment.get("UNDERSTUDY_TOKENS_FILE")
    if not named:
        raise SettingsError("UNDERSTUDY_TOKENS_FILE is not set; set it, or say --file.")
    return Path(named)


def _until(session: Session, text: str) -> datetime:
    try:
        return session.around.clock() + durations.parse(text)
    except ValueError as error:
        raise InvalidRequest(f"--expires is {text!r}; {error}, or 90d.") from error


def _save(path: Path, kept: Iterable[tokens.Token]) -> None:
    """Write the file. It stays with whom it belonged to: the service may run as another user than the one who types."""
    before = path.stat() if path.exists() else None
    try:
        tokens.save(path, kept)
    except OSError as error:
        raise SettingsError(f"The tokens file {path} cannot be written: {error.strerror}; make its folder.") from error
    if before is not None:
        with suppress(PermissionError):
            os.chown(path, before.st_uid, before.st_gid)
            path.chmod(before.st_mode & 0o777)
