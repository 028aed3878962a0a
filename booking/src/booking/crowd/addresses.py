"""Know the addresses of the customers' site: looked up, kept for the TTL, kept on when no name server answers."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from booking.crowd.errors import CrowdError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

_SYSTEM_TTL_SECONDS = 15.0
_SHORTEST_TTL_SECONDS = 1.0  # a TTL of 0 must not become a storm
_PAUSE_AFTER_SILENCE_SECONDS = 1.0
_SERVER_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Found:
    """The addresses of a name and how long they may be used; no TTL means for ever."""

    addresses: tuple[str, ...]
    ttl_seconds: float | None


def pinned(addresses: Sequence[str]) -> Callable[[], Awaitable[Found]]:
    """Answer with the same addresses always."""

    async def look_up() -> Found:
        return Found(tuple(addresses), None)

    return look_up


def by_name_servers(name: str, servers: Sequence[str]) -> Callable[[], Awaitable[Found]]:
    """Ask name servers (IP or IP:PORT), the next one when one is silent; CrowdError when none answers."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(*_host_and_port(server)) for server in servers]
    resolver.timeout = _SERVER_TIMEOUT_SECONDS
    resolver.lifetime = _SERVER_TIMEOUT_SECONDS * len(servers) + 0.5

    async def look_up() -> Found:
        try:
            answer = await resolver.resolve(name, "A", search=False)
        except dns.exception.DNSException as error:
            raise CrowdError(f"No name server of {', '.join(servers)} gave an address of {name}: {error}") from error
        if answer.rrset is None:
            raise CrowdError(f"{name} has no address.")
        return Found(
            tuple(sorted(record.to_text() for record in answer)), max(_SHORTEST_TTL_SECONDS, float(answer.rrset.ttl))
        )

    return look_up


def by_system(name: str) -> Callable[[], Awaitable[Found]]:
    """Ask as any program on this machine would; its answer has no TTL, so it is asked again every 15 s."""

    async def look_up() -> Found:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise CrowdError(f"{name} has no address here: {error}. Name its servers with --resolver.") from error
        return Found(tuple(sorted({str(entry[4][0]) for entry in found})), _SYSTEM_TTL_SECONDS)

    return look_up


def _host_and_port(server: str) -> tuple[str, int]:
    host, separator, port = server.rpartition(":")
    address, number = (host, port) if separator and host.count(":") == 0 else (server, "53")
    try:
        return str(ipaddress.ip_address(address)), int(number)
    except ValueError as error:
        raise CrowdError(f"--resolver {server} is no name server; expected IP or IP:PORT.") from error


class AddressBook:
    """Holds the addresses that are in use now and looks them up again when their TTL is over."""

    def __init__(self, look_up: Callable[[], Awaitable[Found]]) -> None:
        self._look_up = look_up
        self._found = Found((), None)
        self.lookups = 0
        self.silences = 0
        self.changes: list[tuple[str, ...]] = []

    async def __aenter__(self) -> Self:
        await self._refresh()
        self._task = asyncio.create_task(self._keep_fresh())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses that are in use now."""
        return self._found.addresses

    def choose(self, random: Random, before: str | None = None, *, moving: bool = False) -> str:
        """Pick an address: the one used before while the name still has it; another one for someone who is moving."""
        others = [address for address in self.addresses if address != before]
        if before in self.addresses and not (moving and others):
            return before
        return random.choice(others)

    async def _refresh(self) -> None:
        self._found, before = await self._look_up(), self._found
        self.lookups += 1
        if before.addresses != self._found.addresses:
            self.changes.append(self._found.addresses)

    async def _keep_fresh(self) -> None:
        pause = self._found.ttl_seconds
        while pause is not None:
            await asyncio.sleep(pause)
            try:
                await self._refresh()
                pause = self._found.ttl_seconds
            except CrowdError:
                self.silences += 1
                pause = _PAUSE_AFTER_SILENCE_SECONDS
