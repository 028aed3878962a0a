"""Tell what a demonstration showed: one JSON document for programs, one page for people (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader

from lab import pictures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AUDIT_KEYS = ("confirmed", "missing", "sold_twice", "paid_without_booking", "booked_without_payment", "unsettled")
REQUEST_KEYS = ("total", "failed", "retried", "p50_ms", "p99_ms")
DURATION_KEYS = ("setup", "lab", "site", "image", "surge", "outage")
SCALE_KEYS = (
    "alert_to_first_task_ms",
    "alert_to_first_booking_s",
    "servers_before",
    "servers_peak",
    "servers_after",
    "failed_purchases",
)
BACKUP_KEYS = ("size_bytes", "seconds", "proof_seconds", "newest_booking_age_s")
FAILOVER_KEYS = ("tier", "rto_s", "rpo_s", "rpo_bookings", "sold_twice", "both_sites_wrote_ms")
FAILBACK_KEYS = ("longest_wait_s", "failed_purchases", "only_on_old_side", "conflicts")
_TEMPLATE = Path(__file__).parent / "report.html.j2"
# Where the sites stand in the picture: x, y, width in its own units.
_PLACES = {"customers": (360, 10, 240), "colo": (20, 150, 300), "cloud": (640, 150, 300), "witness": (360, 300, 240)}
_ROW = 24


@dataclass(frozen=True)
class Event:
    """Hold one line of the timeline; `at_s` are seconds since the demonstration began."""

    at_s: float
    what: str


@dataclass(frozen=True)
class Release:
    """Hold what became of the release that rolled while customers bought.

    `everywhere` says whether it is on every server; the rest are bookings confirmed while it rolled, and after it.
    """

    everywhere: bool
    bookings_meanwhile: int
    bookings_after: int


@dataclass(frozen=True)
class Surge:
    """Hold what a crowd that grew six times as large met, and what became of it.

    `crowd` is the document of `booking load --report`; `servers` are pairs of seconds since the crowd came and servers
    that an edge sent customers to; `scale` has the keys of SCALE_KEYS, null where something was not seen.
    """

    began_s: float
    crowd: Mapping[str, Any]
    servers: Sequence[tuple[float, int]]
    scale: Mapping[str, Any]
    cost: Mapping[str, Any]


@dataclass(frozen=True)
class Outage:
    """Hold what happened when the colo went dark.

    `drill` is the drill's `result.json`, `events` its timeline, `crowd` the document of `booking load --report`;
    `backup` has `size_bytes` and `seconds` of the backup before, and `proof_seconds` and `newest_booking_age_s` of its
    proof; what nobody could say is not there.
    """

    began_s: float
    drill: Mapping[str, Any]
    crowd: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    backup: Mapping[str, Any]


@dataclass(frozen=True)
class Demonstration:
    """Hold everything that was seen.

    `crowd` and `audit` are the documents of `booking load --report` and `booking audit --json`; `hosts` are those of
    `lab status --json`; `crowd_began_s` says when the crowd came, on the timeline's clock; `release` what became of
    the one that rolled meanwhile; `surge` is none where no image of burst servers could be made, `outage` where the
    drill broke off.
    """

    began: str
    events: Sequence[Event]
    durations_s: Mapping[str, float]
    crowd: Mapping[str, Any]
    audit: Mapping[str, Any]
    hosts: Sequence[Mapping[str, Any]]
    crowd_began_s: float
    release: Release
    surge: Surge | None
    outage: Outage | None


def faults(shown: Demonstration) -> list[str]:
    """Say, a sentence each, what was not as it should be; an empty list is the good verdict."""
    audit, requests, purchases = shown.audit, shown.crowd["requests"], shown.crowd["purchases"]
    told = [f"Audit: {audit[key]} {key.replace('_', ' ')}." for key in AUDIT_KEYS[1:] if audit[key]]
    if not audit["confirmed"]:
        told.append("Nobody bought a ticket, so nothing is proven.")
    if requests["failed"]:
        told.append(f"{requests['failed']} requests got no proper answer, whatever was tried.")
    if purchases["gave_up"]:
        told.append(f"{purchases['gave_up']} customers gave up.")
    return told + _release_faults(shown.release) + _surge_faults(shown.surge) + _outage_faults(shown.outage)


def _release_faults(release: Release) -> list[str]:
    if not release.everywhere:
        return ["The release did not reach every server; reports/release.log says why."]
    if not release.bookings_meanwhile:
        return ["Nobody bought a ticket while the release rolled, so nothing says that customers did not notice it."]
    if not release.bookings_after:
        return ["The crowd had left before the release was everywhere, so nobody met the whole of it."]
    return []


def _outage_faults(outage: Outage | None) -> list[str]:
    if outage is None:
        return ["The drill of a dark colo broke off, so no failover was shown; reports/evidence says how far it came."]
    return [f"When the colo went dark: {sentence}" for sentence in outage.drill["faults"]]


def _surge_faults(surge: Surge | None) -> list[str]:
    if surge is None:
        return ["No image of burst servers was published, so no server could come; reports/image.log says why."]
    told, scale, failed = [], surge.scale, surge.crowd["requests"]["failed"]
    if failed:
        told.append(f"{failed} requests got no proper answer while the crowd was at its largest.")
    if scale["failed_purchases"]:
        told.append(f"{scale['failed_purchases']} customers gave up while the crowd was at its largest.")
    if scale["alert_to_first_task_ms"] is None:
        told.append("No task of a playbook was seen to follow the alert; `understudy jobs` on the ops hosts says why.")
    if scale["alert_to_first_booking_s"] is None:
        told.append(
            "No burst server sold a ticket; `understudy jobs` and `understudy ledger` on the ops hosts say why."
        )
        return told
    told += _latency_faults(latencies(surge.crowd.get("per_second", []), surge.servers))
    if scale["servers_after"] > scale["servers_before"]:
        told.append(f"{scale['servers_after']} servers are there after the crowd, {scale['servers_before']} before it.")
    return told


def latencies(seconds: Sequence[Mapping[str, Any]], servers: Sequence[tuple[float, int]]) -> tuple[float, float] | None:
    """Return the p99 of a large crowd before new servers served it, and once they had caught up, in milliseconds.

    Each is the median of the p99 of single seconds, so that a moment in which the machine had other work decides
    nothing; they have caught up in the later half of the time with them. The crowd is large from the first to the last
    second with half as many requests as the busiest. None where the figures do not show both.
    """
    came = next((at for at, count in servers if count > servers[0][1]), None)
    busiest = max((each["requests"] for each in seconds), default=0)
    busy = [each["at_s"] for each in seconds if each["requests"] * 2 >= busiest > 0]
    if came is None or not busy:
        return None
    large = [each for each in seconds if busy[0] <= each["at_s"] <= busy[-1] and each["requests"]]
    overload = [each["p99_ms"] for each in large if each["at_s"] < came]
    with_them = [each["p99_ms"] for each in large if each["at_s"] >= came]
    return (median(overload), median(with_them[len(with_them) // 2 :])) if overload and with_them else None


def _latency_faults(seen: tuple[float, float] | None) -> list[str]:
    if seen is None:
        return ["Whether new servers made answers faster is not known: no second was seen before they came, or after."]
    overload, relieved = seen
    if relieved < overload:
        return []
    return [f"New servers made nothing faster: p99 {overload:.0f} ms before they came, {relieved:.0f} ms at the end."]


def document(shown: Demonstration) -> dict[str, Any]:
    """Return the document that programs read; every key of the three lists above is in it."""
    return {
        "began": shown.began,
        "audit": {key: shown.audit[key] for key in AUDIT_KEYS} | {"findings": shown.audit.get("findings", [])},
        "requests": _requests(shown.crowd),
        "purchases": dict(shown.crowd.get("purchases", {})),
        "edges": dict(shown.crowd.get("edges", {})),
        "servers": dict(shown.crowd.get("servers", {})),
        "timeline": [{"at_s": round(event.at_s, 1), "what": event.what} for event in shown.events],
        "durations_s": {key: round(shown.durations_s.get(key, 0), 1) for key in DURATION_KEYS},
        "scale": dict(shown.surge.scale) if shown.surge else dict.fromkeys(SCALE_KEYS),
        "cost": dict(shown.surge.cost) if shown.surge else {},
        "surge": {"requests": _requests(shown.surge.crowd)} if shown.surge else {},
        **_outage(shown.outage),
        "faults": faults(shown),
        "hosts": [{"name": host["name"], "site": host["site"], "up": bool(host["answers"])} for host in shown.hosts],
    }


def page(shown: Demonstration) -> str:
    """Return the page: verdict, pictures, timeline, and the numbers of the document."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATE.parent), autoescape=True, trim_blocks=True)
    told = document(shown)
    return environment.get_template(_TEMPLATE.name).render(
        told=told,
        requests_picture=pictures.crowd(shown.crowd.get("per_second", []), _marks(shown, shown.crowd_began_s)),
        surge_picture=_surge_picture(shown),
        outage_picture=_outage_picture(shown.outage),
        topology=_topology(shown.hosts),
    )


def _outage(outage: Outage | None) -> dict[str, Any]:
    """Return the three parts of the document that tell of the backup, the failover and the return; null: not known."""
    drill: Mapping[str, Any] = outage.drill if outage else {}
    back = (drill.get("failback") or {}) | {"failed_purchases": drill.get("purchases", {}).get("gave_up")}
    backup = outage.backup if outage else {}
    return {
        "backup": {key: backup.get(key) for key in BACKUP_KEYS},
        "failover": {key: drill.get(key) for key in FAILOVER_KEYS},
        "failback": {key: back.get(key) for key in FAILBACK_KEYS},
    }


def _outage_picture(outage: Outage | None) -> str:
    """Draw the crowd of the drill; the marks are its events since the crowd came, the outage is shaded."""
    if outage is None:
        return ""
    came = next((event["at_s"] for event in outage.events if event["what"].startswith("a crowd comes")), 0.0)
    dark = next((event["at_s"] for event in outage.events if event["what"] == "now"), came) - came
    shown = outage.drill["outage"]
    marks = {"colo dark": dark, "sold again": dark + shown["ended_s"]}
    return pictures.outage(outage.crowd.get("per_second", []), dark + shown["began_s"], dark + shown["ended_s"], marks)


def _requests(crowd: Mapping[str, Any]) -> dict[str, Any]:
    asked = crowd["requests"]
    return {key: asked[key] for key in REQUEST_KEYS} | {"by_status": asked.get("by_status", {})}


def _marks(shown: Demonstration, began_s: float) -> dict[int, float]:
    """Map the numbers of the timeline's events to their seconds since a crowd came."""
    return {number: event.at_s - began_s for number, event in enumerate(shown.events, start=1)}


def _surge_picture(shown: Demonstration) -> str:
    if shown.surge is None:
        return ""
    seconds, began_s = shown.surge.crowd.get("per_second", []), shown.surge.began_s
    return pictures.surge(seconds, shown.surge.servers, _marks(shown, began_s))


def _topology(hosts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Place every site and its hosts in the picture."""
    sites = []
    for name, (x, y, width) in _PLACES.items():
        its = [host for host in hosts if host["site"] == name]
        rows = [
            {"name": host["name"], "up": bool(host["answers"]), "y": y + 46 + number * _ROW, "power": host.get("power")}
            for number, host in enumerate(its)
        ]
        sites.append(
            {"name": name, "x": x, "y": y, "width": width, "height": 40 + max(len(rows), 1) * _ROW, "hosts": rows}
        )
    return sites
