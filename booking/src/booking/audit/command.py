"""The command `booking audit`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from booking.audit import gateway, ledger
from booking.audit.comparison import Audit, Kind, compare
from booking.crowd import journal as journals
from booking.crowd.errors import CrowdError

_PAUSE_SECONDS = 1.0
_SHOWN = 20

Journals = Annotated[list[Path], typer.Option("--journal", help="a journal of the crowd; repeatable")]
Database = Annotated[str | None, typer.Option(help="libpq URL; BOOKING_DATABASE_URL otherwise")]
GatewayUrl = Annotated[str, typer.Option(help="the payment gateway, whose own list of payments is compared")]
SecretFile = Annotated[Path, typer.Option(exists=True, help="file with the merchant's secret")]
CaFile = Annotated[Path | None, typer.Option(exists=True, help="the authority of the gateway's certificate")]
Settle = Annotated[float, typer.Option("--settle-seconds", min=0.0, help="wait so long for unsettled payments")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


def audit(
    *,
    journal: Journals,
    gateway_url: GatewayUrl,
    gateway_secret_file: SecretFile,
    database: Database = None,
    ca_file: CaFile = None,
    settle_seconds: Settle = 0.0,
    as_json: AsJson = False,
) -> None:
    """Compare the customers' journals, the database and the payment gateway.

    Exit code 1 when anything is wrong or unsettled, 2 when one of the three cannot be read.
    """
    try:
        secret = gateway_secret_file.read_text(encoding="utf-8").strip()
        result = _settled(journal, _database(database), (gateway_url, secret, ca_file), settle_seconds)
    except (CrowdError, OSError) as error:
        typer.echo(f"booking audit: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(json.dumps(result.as_fields(), indent=1, ensure_ascii=False) if as_json else _text(result))
    if result.findings:
        raise typer.Exit(1)


def _database(given: str | None) -> str:
    url = given or os.environ.get("BOOKING_DATABASE_URL")
    if not url:
        raise CrowdError("No database named; give --database or set BOOKING_DATABASE_URL.")
    return url


def _settled(paths: list[Path], database: str, at_gateway: tuple[str, str, Path | None], seconds: float) -> Audit:
    """Audit, and again while payments are unsettled and the time to settle is not over."""
    until = time.monotonic() + seconds
    while True:
        result = _compare(paths, database, at_gateway)
        if not result.count(Kind.UNSETTLED) or time.monotonic() + _PAUSE_SECONDS > until:
            return result
        time.sleep(_PAUSE_SECONDS)


def _compare(paths: list[Path], database: str, at_gateway: tuple[str, str, Path | None]) -> Audit:
    """Read journals, then the gateway, then the database.

    In this order, what one knows, the next one must know too: a purchase is in the database before the gateway is
    asked for money, and both know it before a customer does.
    """
    entries = [entry for path in paths for entry in journals.read(path)]
    charges = gateway.charges(*at_gateway)
    held = ledger.read(database)
    return compare(entries, held.sales, held.unsettled, charges, held.watched)


def _text(result: Audit) -> str:
    counts = [f"{name:24} {result.as_fields()[name]}" for name in ("confirmed", *map(str, Kind))]
    shown = [finding.sentence for finding in result.findings[:_SHOWN]]
    more = [f"and {len(result.findings) - _SHOWN} more (--json lists all)"] if len(result.findings) > _SHOWN else []
    return "\n".join(counts + shown + more)
