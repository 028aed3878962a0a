"""The command `booking load`."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from booking.crowd.crowd import Size
from booking.crowd.display import summary
from booking.crowd.errors import CrowdError
from booking.crowd.plan import parse_mix, parse_surge
from booking.crowd.running import Settings, run
from booking.crowd.wishes import Filters, Taste

DEFAULT_EDGE = "https://tickets.understudy.test"

Edge = Annotated[str, typer.Option(help="the customers' site")]
Resolvers = Annotated[list[str] | None, typer.Option("--resolver", help="a name server, IP or IP:PORT; repeatable")]
Pins = Annotated[list[str] | None, typer.Option("--resolve", help="NAME=IP instead of a lookup; repeatable")]
CaFile = Annotated[Path | None, typer.Option(help="the authority that the site's certificate is checked against")]
Arrivals = Annotated[float, typer.Option(min=0.0, help="customers that arrive per second")]
Surges = Annotated[list[str] | None, typer.Option("--surge", help="FACTOR@START+LENGTH in seconds; repeatable")]
Duration = Annotated[float | None, typer.Option(min=0.0, help="seconds until the door closes; 60 unless --attempts")]
Customers = Annotated[int | None, typer.Option(min=1, help="so many at a time, instead of arrivals")]
Attempts = Annotated[int | None, typer.Option(min=1, help="with --customers: purchases to attempt in all")]
Mix = Annotated[str, typer.Option(help="shares of customers of the API and of the pages")]
Theatre = Annotated[str | None, typer.Option(help="only this theatre: number or name")]
Screenings = Annotated[list[int] | None, typer.Option("--screening", help="only this screening; repeatable")]
Declined = Annotated[float, typer.Option(min=0.0, max=1.0, help="share of customers whose card is declined")]
Contend = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="share of customers who ask for seats once also when none shows free")
]
JournalFile = Annotated[Path | None, typer.Option("--journal", help="append each confirmed booking here")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="write the report (JSON) here")]
Timeout = Annotated[float, typer.Option(min=0.1, help="seconds until a request counts as unanswered")]
Patience = Annotated[float, typer.Option(min=0.0, help="seconds for which a customer repeats a request")]
Seed = Annotated[int | None, typer.Option(help="the same customers again")]


def load(
    *,
    edge: Edge = DEFAULT_EDGE,
    resolver: Resolvers = None,
    resolve: Pins = None,
    ca_file: CaFile = None,
    arrivals: Arrivals = 10.0,
    surge: Surges = None,
    duration: Duration = None,
    customers: Customers = None,
    attempts: Attempts = None,
    mix: Mix = "api=0.6,pages=0.4",
    theatre: Theatre = None,
    screening: Screenings = None,
    declined: Declined = 0.0,
    contend: Contend = 0.0,
    journal: JournalFile = None,
    report: ReportFile = None,
    timeout: Timeout = 10.0,
    patience: Patience = 60.0,
    seed: Seed = None,
) -> None:
    """Send a crowd of customers to buy tickets.

    Exit code 1 when a request failed for good, 2 when the crowd could not be sent.
    """
    try:
        surges = tuple(map(parse_surge, surge or ()))
        settings = Settings(
            edge=edge,
            size=Size(arrivals, surges, duration if duration or attempts else 60.0, customers, attempts),
            taste=Taste(parse_mix(mix), Filters(screenings=tuple(screening or ())), declined, contend),
            resolvers=tuple(resolver or ()),
            pins=tuple(resolve or ()),
            ca_file=ca_file,
            journal=journal,
            timeout_seconds=timeout,
            patience_seconds=patience,
            seed=seed,
            theatre=theatre,
        )
    except ValueError as error:
        typer.echo(f"booking load: {error}", err=True)
        raise typer.Exit(2) from error
    _send(settings, report)


def _send(settings: Settings, report: Path | None) -> None:
    result: dict[str, Any] = {}
    problems: set[str] = set()
    try:
        result = asyncio.run(run(settings, lambda line: typer.echo(line, err=True)))
        if report:
            _write(report, result)
    except* (CrowdError, OSError) as errors:
        problems = {str(error) for error in errors.exceptions}
    if problems:
        typer.echo("\n".join(f"booking load: {problem}" for problem in sorted(problems)), err=True)
        raise typer.Exit(2)
    Console(stderr=True).print(summary(result))
    if result["requests"]["failed"]:
        raise typer.Exit(1)


def _write(path: Path, result: dict[str, Any]) -> None:
    """Replace the report in one step, so that nobody reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    half.replace(path)
