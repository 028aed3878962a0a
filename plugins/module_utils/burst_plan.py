"""Decide which burst servers to make, finish, keep and remove.

Pure: no I/O, no clock, no Ansible. A burst server stands at a place: a name and an address that the edges know
beforehand. Its metadata tell how far it is: `building` until a booking was made at it, then `serving`; only then does
the inventory list it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

STATE = "understudy_burst"
BUILDING, SERVING = "building", "serving"
ALIVE = frozenset({"ACTIVE", "BUILD", "REBOOT", "HARD_REBOOT"})


@dataclass(frozen=True)
class Place:
    """Where a burst server may stand."""

    name: str
    address: str


@dataclass(frozen=True)
class Server:
    """A burst server as the cloud lists it; `created` is ISO 8601 in UTC, as Nova writes it."""

    id: str
    name: str
    status: str
    created: str
    state: str = BUILDING

    @property
    def alive(self) -> bool:
        """Tell whether the cloud says that it runs, or will."""
        return self.status in ALIVE


@dataclass(frozen=True)
class Room:
    """What the quota leaves for servers of the flavour that is asked for; None is without limit."""

    servers: int | None = None
    cores: int | None = None
    ram_mib: int | None = None

    def for_servers(self, cores_each: int, ram_mib_each: int) -> tuple[float, str]:
        """Return how many servers fit, and the quota that ends first, in words."""
        limits: list[tuple[float, str]] = []
        for left, each, what in (
            (self.servers, 1, "servers"),
            (self.cores, cores_each, "cores"),
            (self.ram_mib, ram_mib_each, "MiB of memory"),
        ):
            if left is not None and each > 0:
                limits.append((max(0, left // each), f"{max(0, left)} {what}"))
        return min(limits, default=(math.inf, ""))


@dataclass(frozen=True)
class Situation:
    """What there is. `down` names servers that no edge finds ready though it should."""

    servers: tuple[Server, ...]
    places: tuple[Place, ...]
    down: frozenset[str] = frozenset()
    room: Room = field(default_factory=Room)
    cores_each: int = 1
    ram_mib_each: int = 0

    @property
    def allowed(self) -> int | None:
        """Return how many burst servers the quota lets there be, None when it does not end.

        Those that are there have their part of it already, the dead and half-built ones too: they are replaced or
        finished. Places and ceiling are not asked.
        """
        fits, _ = self.room.for_servers(self.cores_each, self.ram_mib_each)
        return None if math.isinf(fits) else len(self.servers) + int(fits)


@dataclass(frozen=True)
class Plan:
    """What is to be done; `told` are sentences for people, `short` says why there will be fewer than wanted."""

    keep: tuple[Server, ...] = ()
    finish: tuple[Server, ...] = ()
    create: tuple[Place, ...] = ()
    remove: tuple[Server, ...] = ()
    told: tuple[str, ...] = ()
    short: str = ""


class RefusedError(Exception):
    """Say why nothing is done, with the value and the next step."""


def _sorted(servers: list[Server]) -> list[Server]:
    return sorted(servers, key=lambda server: (server.created, server.name))


def _judged(situation: Situation) -> tuple[list[Server], list[Server], list[tuple[Server, str]]]:
    """Return those that serve, those half-built, and those that are of no use, each with the reason."""
    known = {place.name for place in situation.places}
    serving: list[Server] = []
    building: list[Server] = []
    useless: list[tuple[Server, str]] = []
    taken: set[str] = set()
    for server in sorted(
        situation.servers, key=lambda each: (each.state != SERVING, not each.alive, each.created, each.id)
    ):
        if server.name not in known:
            useless.append((server, f"{server.name} stands at no place that the edges know"))
        elif server.name in taken:
            useless.append((server, f"there is another {server.name}, which goes first"))
        elif not server.alive:
            useless.append((server, f"{server.name} is {server.status}"))
        elif server.state == SERVING and server.name in situation.down:
            useless.append((server, f"no edge finds {server.name} ready"))
        else:
            taken.add(server.name)
            (serving if server.state == SERVING else building).append(server)
    return _sorted(serving), _sorted(building), useless


def _checked(wanted: int, floor: int, ceiling: int, places: int) -> None:
    if ceiling > places:
        raise RefusedError(
            f"The ceiling is {ceiling} burst servers, but there are {places} places (cloud_burst_places); add places, "
            "then bring the edges to their state with playbooks/edge.yml."
        )
    if wanted > ceiling:
        raise RefusedError(
            f"{wanted} burst servers are wanted and the ceiling is {ceiling} (cloud_burst_ceiling); "
            "want fewer, or raise it."
        )
    if wanted < floor:
        raise RefusedError(
            f"{wanted} burst servers are wanted and the floor is {floor} (cloud_burst_floor); want more, or lower it."
        )


def out(situation: Situation, wanted: int, floor: int = 0, ceiling: int | None = None) -> Plan:
    """Plan until as many servers serve as wanted: replace what is dead, finish what is half-built, then make new ones.

    Never removes a server that serves. Raises RefusedError when `wanted` is out of bounds.
    """
    _checked(wanted, floor, len(situation.places) if ceiling is None else ceiling, len(situation.places))
    serving, building, useless = _judged(situation)
    missing = max(0, wanted - len(serving))
    finish, surplus = building[:missing], building[missing:]
    used = {server.name for server in (*serving, *finish)}
    leaving = {server.name for server, _ in useless} | {server.name for server in surplus}
    free = [place for place in situation.places if place.name not in used]
    # A place that is empty already needs no waiting for its last server to go.
    free.sort(key=lambda place: place.name in leaving)
    needed = missing - len(finish)
    fits, ends = situation.room.for_servers(situation.cores_each, situation.ram_mib_each)
    # What is removed first makes room again.
    fits += len(useless) + len(surplus)
    short = ""
    if needed > fits:
        short = (
            f"{needed} more servers are needed and the cloud's quota leaves {ends}, enough for {int(fits)}; "
            "ask the provider for more, or want fewer."
        )
    told = [f"{why}: it is removed" for _, why in useless]
    told += [f"{server.name} was left half-built and is not needed: it is removed" for server in surplus]
    told += [f"{server.name} was left half-built: it is finished" for server in finish]
    if len(serving) > wanted:
        told.append(
            f"{len(serving)} servers serve and {wanted} are wanted: nothing is removed here, scale_in.yml does that"
        )
    return Plan(
        keep=tuple(serving),
        finish=tuple(finish),
        create=tuple(free[: int(min(needed, fits))]),
        remove=tuple([server for server, _ in useless] + surplus),
        told=tuple(told),
        short=short,
    )


def look(situation: Situation, _wanted: int, _floor: int = 0, _ceiling: int | None = None) -> Plan:
    """Plan nothing: say what serves."""
    serving, _, _ = _judged(situation)
    return Plan(keep=tuple(serving))


def into(situation: Situation, wanted: int, floor: int = 0, ceiling: int | None = None) -> Plan:
    """Plan the removal of the newest servers until as many serve as wanted, and of everything half-built or dead.

    Raises RefusedError when `wanted` is out of bounds.
    """
    _checked(wanted, floor, len(situation.places) if ceiling is None else ceiling, len(situation.places))
    serving, building, useless = _judged(situation)
    keep, leave = serving[:wanted], serving[wanted:]
    told = [f"{why}: it is removed" for _, why in useless]
    told += [f"{server.name} was left half-built: it is removed" for server in building]
    if len(serving) < wanted:
        told.append(f"{len(serving)} servers serve and {wanted} are wanted: none is made here, scale_out.yml does that")
    return Plan(
        keep=tuple(keep),
        remove=tuple([server for server, _ in useless] + building + list(reversed(leave))),
        told=tuple(told),
    )
