"""The command `booking divergence`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from booking.errors import AnswerLostError, SidesError
from booking.sides import kept_list, reading
from booking.sides.comparison import Action, compare
from booking.sides.kept_list import KeptList
from booking.sides.words import (
    CANNOT,
    NOT_ALL,
    AsJson,
    CaFile,
    GatewayUrl,
    SecretFile,
    gateway_of,
    settings,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from booking.gateway import Gateway

_ASKING_THREADS = 8
_GATEWAY_SECONDS = 2.0
_SHOWN = 40

Old = Annotated[str, typer.Option(help="libpq URL of the old leader's database, or of a read-only copy of it")]
New = Annotated[str, typer.Option(help="libpq URL of the database that sells now")]
Output = Annotated[Path, typer.Option(help="keep the list here (mode 0600); another list is never overwritten")]
Since = Annotated[
    str | None, typer.Option(help="RFC 3339: only what changed from then on; take a minute before the event")
]


def divergence(
    *,
    old: Old,
    new: New,
    output: Output,
    since: Since = None,
    gateway_url: GatewayUrl = None,
    gateway_secret_file: SecretFile = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """List the bookings of the old side that the new side never saw, or has otherwise, and keep the list.

    Both sides are only read. With a gateway, its word tells whose money has gone back since. Exit code 0 when nothing
    is to be settled, 1 when something is, 2 when the sides cannot be compared or the list cannot be kept.
    """
    try:
        gateway = gateway_of(settings(gateway_url, gateway_secret_file, ca_file, new)) if gateway_url else None
        kept = _compared(old, new, _moment(since), gateway)
        done = kept_list.write(output, kept)
    except (SidesError, OSError) as error:
        typer.echo(f"booking divergence: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    typer.echo(f"booking divergence: {done}", err=True)
    if as_json:
        findings = [
            {"kind": each.kind, "action": each.action, "number": each.booking.booking_number,
             "idempotency_key": each.booking.idempotency_key, "new_number": each.new_number, "sentence": each.sentence}
            for each in kept.findings
        ]  # fmt: skip
        write_json({**kept.summary(), "findings": findings})
    else:
        _show(kept)
    if any(finding.action is not Action.NOTHING for finding in kept.findings):
        raise typer.Exit(NOT_ALL)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SidesError(f"--since is {text!r}; expected a moment such as 2026-12-24T18:00:00+09:00.") from error
    if moment.tzinfo is None:
        raise SidesError(f"--since is {text!r}, without a zone; write it as {text}+09:00 or {text}Z.")
    return moment


def _compared(old: str, new: str, since: datetime | None, gateway: Gateway | None) -> KeptList:
    found = reading.read(old, new, since)
    there = found.new
    if gateway:
        missing = [
            each.idempotency_key
            for each in found.old
            if each.state == "confirmed" and each.idempotency_key not in there.bookings
        ]
        there = replace(there, refunded=_refunded(gateway, missing))
    findings = compare(found.old, there)
    return KeptList(kept_list.FORMAT, there.at, since, found.bookings_old, found.only_on_new_side, findings)


def _refunded(gateway: Gateway, keys: list[str]) -> frozenset[str]:
    """Ask the gateway whose money has gone back."""
    try:
        with ThreadPoolExecutor(_ASKING_THREADS) as threads:
            payments = list(threads.map(lambda key: gateway.find(key, _GATEWAY_SECONDS), keys))
    except AnswerLostError as error:
        message = f"{error} Repeat it, or leave --gateway-url out: reinsert and refund ask it again."
        raise SidesError(message) from error
    finally:
        gateway.close()
    return frozenset(payment.reference for payment in payments if payment and payment.state == "refunded")


def _show(kept: KeptList) -> None:
    typer.echo("\n".join(f"{name:24} {value}" for name, value in kept.summary().items() if value or name[:4] == "only"))
    if kept.findings:
        shown = kept.findings[:_SHOWN]
        write_table(("number", "settled by", "what"), [(f.booking.booking_number, f.action, f.sentence) for f in shown])
    if len(kept.findings) > _SHOWN:
        typer.echo(f"and {len(kept.findings) - _SHOWN} more (--json lists all)")
