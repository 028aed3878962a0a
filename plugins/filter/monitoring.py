"""Tell what monitoring at a site is to watch, and by which way, from what every host says of itself (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Card = Mapping[str, Any]
    Target = dict[str, Any]

LAN, PUBLIC = "lan", "public"
# What a host of a function offers on its LAN.
OFFERED = {"edge": ("edge",), "was": ("was",), "database": ("postgres", "patroni"), "ops": ("runner",)}


def watch_targets(
    cards: Iterable[Card], site: str, ports: Mapping[str, int], places: Iterable[Card] = ()
) -> list[Target]:
    """Return the targets for role monitoring, as its `monitoring_targets` wants them.

    A card has `name`, `site`, `functions` and `addresses` (by network: `lan`, `public`). `site` is where the watching
    is done: members of the lease are asked over their LAN at the own site and over public addresses elsewhere, so that
    a cut tunnel does not hide them. `ports` names the port of each job; a job without a port is not watched. `places`
    are those of burst servers (`name`, `address`, `site`), watched whether there is a server or not. Raises ValueError
    for a host without any address.
    """
    bursting = {str(place["name"]): place for place in places}
    standing = sorted((card for card in cards if card["name"] not in bursting), key=lambda card: str(card["name"]))
    found = [target for card in standing for target in _of(card, site, ports)]
    for _, place in sorted(bursting.items()):
        found += [each | {"optional": True} for each in _asked(place, "was", place["address"], LAN, ports)]
    return found


def _of(card: Card, site: str, ports: Mapping[str, int]) -> Iterator[Target]:
    lan, public = card["addresses"].get(LAN), card["addresses"].get(PUBLIC)
    if not lan and not public:
        raise ValueError(f"{card['name']} has no address in a LAN or a public network, so nothing can watch it.")
    yield from _asked(card, "node", lan or public, LAN if lan else PUBLIC, ports, tls=not lan)
    for function in card["functions"]:
        for job in OFFERED.get(function, ()):
            if lan:
                yield from _asked(card, job, lan, LAN, ports)
    yield from _lease(card, site, ports)
    yield from _probes(card, ports)


def _lease(card: Card, site: str, ports: Mapping[str, int]) -> Iterator[Target]:
    if "consensus" not in card["functions"]:
        return
    near = card["site"] == site and card["addresses"].get(LAN)
    address = near or card["addresses"].get(PUBLIC) or card["addresses"][LAN]
    yield from _asked(card, "etcd", address, LAN if address == card["addresses"].get(LAN) else PUBLIC, ports)


def _probes(card: Card, ports: Mapping[str, int]) -> Iterator[Target]:
    lan, public = card["addresses"].get(LAN), card["addresses"].get(PUBLIC)
    if "edge" in card["functions"] and public:
        yield _target(card, "probe_edge", f"https://{_bracketed(public)}/healthz", PUBLIC)
    if "dns" in card["functions"] and public:
        yield _target(card, "probe_name_server", f"{_bracketed(public)}:53", PUBLIC)
    if "ops" in card["functions"] and lan and "runner" in ports:
        yield _target(card, "probe_runner", f"https://{_bracketed(lan)}:{ports['runner']}/readyz", LAN)


def _asked(
    card: Card, job: str, address: str, way: str, ports: Mapping[str, int], *, tls: bool = False
) -> Iterator[Target]:
    if job in ports:
        yield _target(card, job, f"{_bracketed(address)}:{ports[job]}", way) | ({"tls": True} if tls else {})


def _target(card: Card, job: str, address: str, way: str) -> Target:
    return {"job": job, "name": card["name"], "address": address, "site": card["site"], "way": way}


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else str(address)


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"watch_targets": watch_targets}
