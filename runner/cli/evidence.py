"""The commands about evidence: they work on the folders of this machine, and need no running service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.cli import session as sessions
from runner.cli.words import AsJson  # noqa: TC001 - typer reads the annotations
from runner.errors import InvalidRequest, SettingsError
from runner.evidence import folders, keeping, sealing, verifying
from runner.evidence.manifest import Kind  # noqa: TC001 - typer reads the annotations
from runner.evidence.signing import Signer, Signers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.cli.session import Session
    from runner.evidence.manifest import Sealed

FIGURES = ("rto_s", "rpo_s", "rpo_bookings", "sold_twice", "both_sites_wrote_ms")
app = typer.Typer(no_args_is_help=True, help="Seal, check and list the evidence of drills, failovers and proofs.")

Root = Annotated[Path | None, typer.Option(help="where the folders are; else UNDERSTUDY_EVIDENCE_DIR")]
SignersFile = Annotated[
    Path | None, typer.Option("--signers", help="whose signatures count; else UNDERSTUDY_EVIDENCE_SIGNERS")
]


@app.command()
def seal(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="a folder with what was seen and measured")],
    *,
    kind: Annotated[Kind, typer.Option(help="what it is evidence of")],
    key: Annotated[Path | None, typer.Option(help="the private key that signs; else UNDERSTUDY_EVIDENCE_KEY")] = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file of a folder, chain it to the one sealed before, and sign it. A second time changes nothing.

    Prints the manifest's SHA-256: noted elsewhere, `verify --noted` misses the folder when it was removed.
    """
    session = sessions.of(context)
    signer = Signer(_path(session, key, "--key", "UNDERSTUDY_EVIDENCE_KEY"))
    sealed, new = sealing.seal(folder.absolute(), kind, signer, session.around.clock())
    if as_json:
        _write({**_fields(sealed), "new": new})
        return
    done = "sealed" if new else "was sealed already, and is unchanged"
    typer.echo(f"{sealed.folder} {done}: number {sealed.manifest.number}, SHA-256 {sealed.sha256}")


@app.command()
def keep(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="the folder to make, TIME-failover or TIME-failback")
    ],
    *,
    kind: Annotated[Kind, typer.Option(help="what it is evidence of")],
    key: Annotated[Path | None, typer.Option(help="the key that signs, made when it is not there")] = None,
    signers: SignersFile = None,
) -> None:
    """Write a folder from JSON on standard input, {"file name": content}, and seal it at once, as playbooks do.

    A folder of a failover or failback that an interrupted run left without its seal is sealed, too.
    """
    session = sessions.of(context)
    key = _path(session, key, "--key", "UNDERSTUDY_EVIDENCE_KEY")
    allowed = _path(session, signers, "--signers", "UNDERSTUDY_EVIDENCE_SIGNERS")
    try:
        content = dict(json.loads(typer.get_text_stream("stdin").read()))
    except (ValueError, TypeError) as error:
        raise InvalidRequest(f"Standard input is no JSON object of file names ({error}); nothing was kept.") from error
    now = session.around.clock()
    try:
        sealed, left = keeping.keep(folder.absolute(), kind, content, key=key, signers=allowed, now=now)
    except OSError as error:
        sentence = f"{folder} cannot be written ({error}); make room, or let this account write there."
        raise SettingsError(sentence) from error
    for name in left:
        typer.echo(f"{name} was left unsealed by a run that was interrupted, and is sealed now")
    typer.echo(f"{sealed.folder} sealed: number {sealed.manifest.number}, SHA-256 {sealed.sha256}")


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="else all, with their chain")
    ] = None,
    *,
    root: Root = None,
    signers: SignersFile = None,
    noted: Annotated[str, typer.Option(help="SHA-256 of a manifest that must be in the chain")] = "",
    as_json: AsJson = False,
) -> None:
    """Check files, signatures and the chain; exit code 1, with folder and file, when anything is wrong."""
    session = sessions.of(context)
    named = [each.absolute() for each in folder or []]
    place = root or (named[0].parent if named else None)
    place = _path(session, place, "--root", "UNDERSTUDY_EVIDENCE_DIR")
    if strange := [each for each in named if each.parent != place.absolute()]:
        raise typer.BadParameter(f"{strange[0]} is not in {place}; verify one place at a time.")
    allowed = Signers(_path(session, signers, "--signers", "UNDERSTUDY_EVIDENCE_SIGNERS"))
    findings = verifying.verify(place, [each.name for each in named], allowed, noted)
    checked = len(named) or len(folders.every(place))
    if as_json:
        _write(
            {
                "folders": checked,
                "findings": [{"folder": each.folder, "sentence": each.sentence} for each in findings],
            }
        )
    else:
        for each in findings:
            typer.echo(each.sentence)
        good = "all is as it was sealed" if not findings else f"{len(findings)} things are wrong"
        typer.echo(f"{checked} folders: {good}.")
    if findings:
        raise typer.Exit(1)


@app.command("list")
def show(context: typer.Context, *, root: Root = None, as_json: AsJson = False) -> None:
    """List the folders with what they measured, in the order in which they were sealed; checks nothing."""
    session = sessions.of(context)
    place = _path(session, root, "--root", "UNDERSTUDY_EVIDENCE_DIR")
    rows = sorted((_row(each) for each in folders.every(place)), key=lambda row: (row["number"] is None, row["number"]))
    if as_json:
        _write(rows)
        return
    from runner.cli import output  # noqa: PLC0415 - rich takes a tenth of a second

    table = output.table("number", "folder", "kind", "sealed", *FIGURES)
    for row in rows:
        sealed_at = output.moment(row["sealed_at"], session.around) or "not sealed"
        figures = ["" if row[name] is None else output.clean(row[name]) for name in FIGURES]
        table.add_row(str(row["number"] or ""), output.clean(row["folder"]), row["kind"] or "", sealed_at, *figures)
    output.console().print(table if rows else f"There is no evidence in {place}.")


def _row(folder: Path) -> dict[str, Any]:
    """Return what a folder says of itself; a manifest or result that cannot be read counts as none."""
    try:
        sealed = folders.sealed(folder)
    except ValueError:
        sealed = None
    try:
        result = json.loads((folder / "result.json").read_bytes())
    except (OSError, ValueError):
        result = {}
    figures = {name: result.get(name) if isinstance(result, dict) else None for name in FIGURES}
    nothing = {"folder": folder.name, "number": None, "kind": None, "sealed_at": None, "sha256": None}
    return (dict(_fields(sealed)) if sealed else nothing) | figures


def _fields(sealed: Sealed) -> Mapping[str, Any]:
    manifest = sealed.manifest
    return {
        "folder": sealed.folder,
        "number": manifest.number,
        "kind": str(manifest.kind),
        "sealed_at": manifest.sealed_at.isoformat(),
        "sha256": sealed.sha256,
    }


def _path(session: Session, given: Path | None, option: str, variable: str) -> Path:
    found = given or session.around.environment.get(variable)
    if not found:
        raise SettingsError(f"Neither {option} nor {variable} is given; name a path.")
    return Path(found)


def _write(value: object) -> None:
    from runner.cli import output  # noqa: PLC0415 - rich takes a tenth of a second

    output.own_json(value)
