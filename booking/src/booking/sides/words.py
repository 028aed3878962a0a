"""The options that the commands about two sides share, and how they write."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from booking.errors import SidesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeVar

    from booking.gateway import Gateway
    from booking.settings import Settings

    Each = TypeVar("Each")

GatewayUrl = Annotated[str | None, typer.Option(help="the payment gateway; BOOKING_GATEWAY_URL otherwise")]
SecretFile = Annotated[
    Path | None, typer.Option(exists=True, help="file with the merchant's secret; BOOKING_GATEWAY_SECRET otherwise")
]
CaFile = Annotated[Path | None, typer.Option(exists=True, help="the authority of the gateway's certificate")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
NOT_ALL, CANNOT = 1, 2
_PROGRESS_SECONDS = 2.0


def settings(
    url: str | None, secret_file: Path | None, ca_file: Path | None, database: str | None, **more: str
) -> Settings:
    """Read the settings of the environment, with what options say over them. Raises SidesError."""
    # What asks a gateway takes a second to load on a busy machine, which a list of two databases need not wait for.
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    from booking.settings import load  # noqa: PLC0415 - as above

    given: dict[str, Any] = {"secret_key": "no queue is kept here", "database_url": database or _database(), **more}
    if url:
        given["gateway_url"] = url
    if secret_file:
        given["gateway_secret"] = secret_file.read_text(encoding="utf-8").strip()
    if ca_file:
        given["gateway_ca_file"] = ca_file
    try:
        return load(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SidesError(f"The setting {first['loc'][0]} cannot be used: {first['msg']}. See --help.") from error


def _database() -> str:
    from booking.settings import database_url  # noqa: PLC0415 - as above

    found = database_url()
    if not found:
        raise SidesError("No database named; give --into, or set BOOKING_DATABASE_URL or BOOKING_DATABASE_URL_FILE.")
    return found


def gateway_of(chosen: Settings) -> Gateway:
    """Return the payment gateway that the settings name."""
    from booking.gateway import Gateway  # noqa: PLC0415 - as above

    secret = chosen.gateway_secret.get_secret_value()
    return Gateway(chosen.gateway_url, secret, chosen.gateway_ca_file, chosen.gateway_timeout_seconds)


def with_progress(things: Sequence[Each], what: str) -> Iterator[Each]:
    """Yield each, and say on standard error every two seconds how far it is."""
    began = said = time.monotonic()
    for done, thing in enumerate(things):
        if (now := time.monotonic()) - said >= _PROGRESS_SECONDS:
            said = now
            typer.echo(f"{done} of {len(things)} {what}, {now - began:.0f} s", err=True)
        yield thing


def write_json(value: object) -> None:
    """Write a result for programs."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))


def write_table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Write a table for people: sentences break over lines, numbers do not."""
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.table import Table  # noqa: PLC0415 - as above

    terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading != headings[-1], overflow="fold")
    for line in lines:
        table.add_row(*line)
    Console(file=sys.stdout, markup=False, highlight=False, emoji=False, width=None if terminal else 500).print(table)
