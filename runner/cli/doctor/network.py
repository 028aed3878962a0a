"""Look at the address of the API, and at the clock."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from runner.cli import probing
from runner.cli.doctor.finding import bad, good

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.cli.doctor.finding import Finding
    from runner.cli.probing import Address

MOST_APART_SECONDS = 5.0
LIMIT_SECONDS = 3.0


def port(address: Address, answers: Callable[[Address], bool] = probing.answers) -> Finding:
    """See that the address of the API is free, or that the service itself is there."""
    _, host, number = address
    if answers(address):
        return good("address", f"the service answers at {host}:{number}")
    trouble = probing.trouble_with(host, number)
    if trouble is not None:
        who = f"`ss -ltnp sport = :{number}` shows who has it"
        return bad("address", f"{host}:{number} cannot be opened ({trouble}); {who}.")
    return good("address", f"{host}:{number} is free")


def clock(date: str | None, now: datetime) -> Finding:
    """Compare the clock with the `Date` that the API sent; None: it was not reached."""
    if date is None:
        return good("clock", "not compared: the API does not answer")
    try:
        apart = (now - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return good("clock", "not compared: the API told no date")
    if abs(apart) > MOST_APART_SECONDS:
        return bad(
            "clock", f"This clock is {apart:+.0f} s from the API's; see `timedatectl`, and chrony on both machines."
        )
    return good("clock", f"within {MOST_APART_SECONDS:g} s of the API's")


def date_of(url: str, transport: httpx.BaseTransport | None = None) -> str | None:
    """Return the date that the API at a URL tells, or None. Who answers is not proved: nothing is sent."""
    try:
        with httpx.Client(transport=transport, timeout=LIMIT_SECONDS, verify=False, trust_env=False) as client:  # noqa: S501 - only the clock is asked
            date: str | None = client.get(f"{url}{probing.PATH}").headers.get("date")
    except httpx.HTTPError:
        return None
    return date
