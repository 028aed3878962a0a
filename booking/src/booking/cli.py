"""The `booking` command."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _database_url(url: str | None) -> str:
    if url:
        return url
    from booking.settings import database_url  # noqa: PLC0415 - the environment is only asked where no option is given

    found = database_url()
    if not found:
        raise typer.BadParameter(
            "No database named; give --database, or set BOOKING_DATABASE_URL or BOOKING_DATABASE_URL_FILE."
        )
    return found


@app.command()
def migrate(
    database: Annotated[str | None, typer.Option(help="libpq URL; BOOKING_DATABASE_URL otherwise.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell; exit 1 when a migration is missing.")] = False,
) -> None:
    """Bring the database's shape to this release's. Safe to run from several servers at once."""
    from booking import migrate as migrating  # noqa: PLC0415 - each command loads only what it needs

    before, after = migrating.migrate(_database_url(database), check=check)
    if check:
        typer.echo(f"revision: {before}, this release brings {migrating.newest()}")
        raise typer.Exit(0 if before >= migrating.newest() and before != "none" else 1)
    typer.echo(f"migrated from {before} to {after}" if before != after else f"unchanged, revision {after}")


@app.command()
def seed(  # noqa: PLR0917 - typer calls it by name
    database: Annotated[str | None, typer.Option(help="libpq URL; BOOKING_DATABASE_URL otherwise.")] = None,
    theatres: Annotated[int, typer.Option(min=0, help="Theatres of the chain.")] = 65,
    days: Annotated[int, typer.Option(min=1, help="Days of screenings, from today.")] = 3,
    seed_number: Annotated[int, typer.Option("--seed", help="The same number gives the same programme.")] = 1,
    screening_seats: Annotated[int, typer.Option(min=0, help="Seats of each load-test screening.")] = 0,
    screenings: Annotated[int, typer.Option(min=1, help="Load-test screenings in the theatre `load`.")] = 1,
) -> None:
    """Fill an empty or older database with theatres, films and screenings. A second run adds only what is missing."""
    from booking import seeding  # noqa: PLC0415 - each command loads only what it needs

    wish = seeding.Wish(theatres, days, seed_number, screening_seats, screenings)
    typer.echo(seeding.seed(_database_url(database), wish))


@app.command()
def gateway(  # noqa: PLR0917 - typer calls it by name
    secret_file: Annotated[Path, typer.Option(exists=True, help="File with the merchant's secret.")],
    store: Annotated[Path, typer.Option(help="SQLite file of the payments.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT.")] = "127.0.0.1:8443",
    certificate: Annotated[Path | None, typer.Option(exists=True, help="TLS certificate with its chain.")] = None,
    key: Annotated[Path | None, typer.Option(exists=True, help="TLS key.")] = None,
    notify_ca_file: Annotated[Path | None, typer.Option(exists=True, help="CA of the shop that is notified.")] = None,
) -> None:
    """Run the stand-in payment gateway."""
    from booking.gateway_standin.serve import serve  # noqa: PLC0415 - each command loads only what it needs

    serve(listen, secret_file, store, certificate=certificate, key=key, notify_ca_file=notify_ca_file)


def _lazily(name: str, module: str) -> None:
    """Attach a command whose module is loaded when it is asked for."""
    import sys  # noqa: PLC0415 - only the composition of commands looks at the arguments

    if len(sys.argv) > 1 and sys.argv[1] not in {name, "--help"}:
        return
    from importlib import import_module  # noqa: PLC0415 - as above

    command: Any = getattr(import_module(module), name)
    app.command(name)(command)


def main() -> None:
    """Run the command."""
    _lazily("load", "booking.crowd.command")
    _lazily("audit", "booking.audit.command")
    _lazily("divergence", "booking.sides.command")
    for name in ("reinsert", "refund", "orphans"):
        _lazily(name, "booking.sides.settling_commands")
    app()
