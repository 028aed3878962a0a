"""The commands `booking reinsert`, `booking refund` and `booking orphans`."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from booking.errors import BookingError, SidesError
from booking.service.shop import Shop
from booking.sides import kept_list
from booking.sides.comparison import Action, Finding
from booking.sides.outcome import SETTLED, Outcome, Result
from booking.sides.refunding import pay_back
from booking.sides.reinserting import put_back
from booking.sides.words import (
    CANNOT,
    NOT_ALL,
    AsJson,
    CaFile,
    GatewayUrl,
    SecretFile,
    gateway_of,
    settings,
    with_progress,
    write_json,
    write_table,
)
from booking.store import orphans as store
from booking.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Step = Callable[[Shop, Finding, bool], Outcome]

From = Annotated[Path, typer.Option("--from", help="the list that `booking divergence` kept")]
Into = Annotated[str | None, typer.Option(help="libpq URL of the database that sells; BOOKING_DATABASE_URL otherwise")]
Numbers = Annotated[list[str] | None, typer.Option("--number", help="only this booking of the list; repeatable")]


def _settling(*actions: Action, settled_unnamed: frozenset[Result] = SETTLED) -> Callable[[Step], Callable[..., None]]:
    """Make a command of what is done to one booking of the list; the options are the same whatever that is.

    Without --number it takes the bookings of these actions, and those results count as settled. The step is told
    whether its booking was named.
    """

    def command_of(step: Step) -> Callable[..., None]:
        def command(
            *,
            from_file: From,
            into: Into = None,
            number: Numbers = None,
            gateway_url: GatewayUrl = None,
            gateway_secret_file: SecretFile = None,
            ca_file: CaFile = None,
            as_json: AsJson = False,
        ) -> None:
            with _telling(step.__name__):
                chosen, named = _chosen(from_file, number, *actions), bool(number)
                with _opened(into, gateway_url, gateway_secret_file, ca_file) as shop:
                    outcomes = [step(shop, finding, named) for finding in with_progress(chosen, "bookings")]
            _end(outcomes, as_json=as_json, settled=SETTLED if named else settled_unnamed)

        command.__name__, command.__doc__ = step.__name__, step.__doc__
        return command

    return command_of


@_settling(Action.REINSERT)
def reinsert(shop: Shop, finding: Finding, _: bool) -> Outcome:
    """Put the listed bookings back whose seats are still free and whose money the gateway still has.

    Each in one transaction; safe to repeat, also after it was killed. Exit code 0 when all that were asked for are
    back, 1 when one is not (its sentence says why), 2 when the list or a setting cannot be used.
    """
    return put_back(shop, finding.booking)


# What was put back needs no refund; who named it must hear that it got none.
@_settling(Action.REFUND, Action.REINSERT, settled_unnamed=SETTLED | {Result.STAYS})
def refund(shop: Shop, finding: Finding, named: bool) -> Outcome:
    """Pay the listed bookings back that do not fit any more, and record them as cancelled; each once.

    A booking that still fits is paid back only when it is named with --number. Exit code 0 when all that were asked for
    are settled, 1 when one is not (its sentence says why), 2 when the list or a setting cannot be used.
    """
    return pay_back(shop, finding, although_it_fits=named)


def orphans(
    *,
    keep: Annotated[bool, typer.Option("--keep/--send-back", help="keep their money, or send it back again")],
    into: Into = None,
) -> None:
    """Keep the money of payments that this database does not know, until the old side's bookings are listed.

    Servers send it back after two minutes otherwise, and then no booking can be put back. Exit code 2 when the database
    cannot be written.
    """
    with _telling("orphans"), _opened(into, None, None, None, gateway_secret="") as shop:
        shop.database.write(store.pause if keep else store.go_on, shop.deadline())
    typer.echo("kept until `booking orphans --send-back`" if keep else "sent back after orphan_seconds, as usual")


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except (BookingError, OSError) as error:
        typer.echo(f"booking {name}: {error}", err=True)
        raise typer.Exit(CANNOT) from error


@contextmanager
def _opened(
    into: str | None, url: str | None, secret_file: Path | None, ca_file: Path | None, **more: str
) -> Iterator[Shop]:
    chosen = settings(url, secret_file, ca_file, into, **more)
    shop = Shop(Database(chosen.database_url.get_secret_value(), 2), gateway_of(chosen), chosen)
    shop.database.open()
    try:
        yield shop
    finally:
        shop.database.close()
        shop.gateway.close()


def _chosen(path: Path, numbers: Sequence[str] | None, *actions: Action) -> list[Finding]:
    """Return the findings that are named, or else all that the actions settle. Raises SidesError."""
    findings = kept_list.read(path).findings
    if not numbers:
        return [finding for finding in findings if finding.action in actions]
    by_number = {finding.booking.booking_number: finding for finding in findings}
    wanted = list(dict.fromkeys(number.strip().upper() for number in numbers))
    if unknown := [number for number in wanted if number not in by_number]:
        raise SidesError(f"{path} lists no booking {unknown[0]}; nothing was done. It lists {len(findings)} others.")
    return [by_number[number] for number in wanted]


def _end(outcomes: Sequence[Outcome], *, as_json: bool, settled: frozenset[Result] = SETTLED) -> None:
    counted = Counter(outcome.result for outcome in outcomes)
    if as_json:
        write_json({**{str(each): counted[each] for each in Result}, "outcomes": [asdict(each) for each in outcomes]})
    else:
        typer.echo("\n".join(f"{result:24} {count}" for result, count in sorted(counted.items())) or "nothing to do")
        if left := [each for each in outcomes if each.result not in {Result.BACK, Result.ALREADY}]:
            write_table(("number", "result", "what"), [(e.booking_number, e.result, e.sentence) for e in left])
    if any(outcome.result not in settled for outcome in outcomes):
        raise typer.Exit(NOT_ALL)
