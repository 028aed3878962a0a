"""Tell what a demonstration showed: one JSON document for programs, one page for people (pure)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AUDIT_KEYS = ("confirmed", "missing", "sold_twice", "paid_without_booking", "booked_without_payment", "unsettled")
REQUEST_KEYS = ("total", "failed", "retried", "p50_ms", "p99_ms")
DURATION_KEYS = ("setup", "lab", "site")
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
class Demonstration:
    """Hold everything that was seen.

    `crowd` and `audit` are the documents of `booking load --report` and `booking audit --json`; `hosts` are those of
    `lab status --json`; `crowd_began_s` says when the crowd came, on the timeline's clock; `released` whether the
    release that rolled meanwhile is on every server.
    """

    began: str
    events: Sequence[Event]
    durations_s: Mapping[str, float]
    crowd: Mapping[str, Any]
    audit: Mapping[str, Any]
    hosts: Sequence[Mapping[str, Any]]
    crowd_began_s: float
    released: bool


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
    if not shown.released:
        told.append("The release did not reach every server; reports/release.log says why.")
    return told


def document(shown: Demonstration) -> dict[str, Any]:
    """Return the document that programs read; every key of the three lists above is in it."""
    return {
        "began": shown.began,
        "audit": {key: shown.audit[key] for key in AUDIT_KEYS} | {"findings": shown.audit.get("findings", [])},
        "requests": {key: shown.crowd["requests"][key] for key in REQUEST_KEYS}
        | {"by_status": shown.crowd["requests"].get("by_status", {})},
        "purchases": dict(shown.crowd.get("purchases", {})),
        "edges": dict(shown.crowd.get("edges", {})),
        "servers": dict(shown.crowd.get("servers", {})),
        "timeline": [{"at_s": round(event.at_s, 1), "what": event.what} for event in shown.events],
        "durations_s": {key: round(shown.durations_s[key], 1) for key in DURATION_KEYS},
        "faults": faults(shown),
        "hosts": [{"name": host["name"], "site": host["site"], "up": bool(host["answers"])} for host in shown.hosts],
    }


def page(shown: Demonstration) -> str:
    """Return the page: verdict, pictures, timeline, and the numbers of the document."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATE.parent), autoescape=True, trim_blocks=True)
    told = document(shown)
    return environment.get_template(_TEMPLATE.name).render(
        told=told,
        requests_picture=_series(shown),
        topology=_topology(shown.hosts),
    )


def _series(shown: Demonstration) -> str:
    """Draw what customers met, second by second, with the numbers of the timeline's events in it."""
    seconds = shown.crowd.get("per_second", [])
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    at = [each["at_s"] for each in seconds]
    upper.fill_between(at, [each["requests"] for each in seconds], color="#8ab4d8", label="requests per second")
    upper.plot(at, [each["confirmed"] for each in seconds], color="#1b7f3b", label="bookings confirmed per second")
    upper.plot(at, [each["failed"] for each in seconds], color="#c0392b", label="failed requests per second")
    upper.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    lower.plot(at, [each.get("p99_ms") or 0 for each in seconds], color="#444444", label="p99, milliseconds")
    lower.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    lower.set_xlabel("seconds since the crowd came")
    last = at[-1] if at else 0
    for number, event in enumerate(shown.events, start=1):
        when = event.at_s - shown.crowd_began_s
        if 0 < when < last:
            for axes in (upper, lower):
                axes.axvline(when, color="#e08e0b", linewidth=1)
            upper.annotate(str(number), (when, 1), xycoords=("data", "axes fraction"), va="bottom", ha="center")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]


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
