"""Run a crowd from its settings to its report."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random as randomness
import resource
import signal
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from booking.crowd import addresses
from booking.crowd.browser import Browser, Surroundings
from booking.crowd.by_api import find_theatre
from booking.crowd.crowd import Crowd, Size
from booking.crowd.display import progress
from booking.crowd.errors import CrowdError
from booking.crowd.journal import Journal
from booking.crowd.tally import Tally
from booking.crowd.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from booking.crowd.wishes import Taste

PROGRESS_SECONDS = 2.0


@dataclass(frozen=True)
class Settings:
    """One run of the crowd."""

    edge: str
    size: Size
    taste: Taste
    resolvers: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    ca_file: Path | None = None
    journal: Path | None = None
    timeout_seconds: float = 10.0
    patience_seconds: float = 60.0
    seed: int | None = None
    theatre: str | None = None


def lookup_for(name: str, settings: Settings) -> Callable[[], Awaitable[addresses.Found]]:
    """Choose how the site's name is turned into addresses; CrowdError for a pin of another name."""
    with contextlib.suppress(ValueError):
        return addresses.pinned([str(ipaddress.ip_address(name))])
    if settings.pins:
        pairs = [pin.partition("=")[::2] for pin in settings.pins]
        if strangers := [pin for pin, (pinned, _) in zip(settings.pins, pairs, strict=True) if pinned != name]:
            raise CrowdError(f"--resolve {strangers[0]} does not pin {name}; expected {name}=IP.")
        return addresses.pinned([address for _, address in pairs])
    if settings.resolvers:
        return addresses.by_name_servers(name, settings.resolvers)
    return addresses.by_system(name)


async def run(settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """Send the crowd and return its report; SIGINT and SIGTERM close the door and let those inside finish."""
    tally, random = Tally(), randomness.Random(settings.seed)  # noqa: S311 - customers, not keys
    wire = Wire(settings.edge, settings.ca_file, settings.timeout_seconds)
    book = addresses.AddressBook(lookup_for(wire.name, settings))
    async with wire, book, Journal(settings.journal) as journal:
        began = monotonic()
        around = Surroundings(
            wire=wire,
            origin=str(wire.site),
            addresses=book,
            tally=tally,
            random=random,
            clock=lambda: monotonic() - began,
            patience_seconds=settings.patience_seconds,
        )
        taste = settings.taste
        if settings.theatre:
            number = await find_theatre(Browser(around, "en"), settings.theatre)
            taste = replace(taste, filters=replace(taste.filters, theatre=number))
        crowd = Crowd(around, journal, taste)
        with _door(crowd):
            talking = asyncio.create_task(_talk(crowd, around, say))
            await crowd.come(settings.size)
            talking.cancel()
        ended = around.clock()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        **tally.report(),
        "crowd": {
            "duration_s": round(ended, 1),
            "cpu_s": round(used.ru_utime + used.ru_stime, 2),
            "late_s": round(crowd.latest_seconds, 3),
        },
        "names": {"lookups": book.lookups, "silences": book.silences, "changes": book.changes},
    }


@contextlib.contextmanager
def _door(crowd: Crowd) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, crowd.close)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


async def _talk(crowd: Crowd, around: Surroundings, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        say(progress(around.tally, crowd.inside, around.clock(), PROGRESS_SECONDS))
