"""Show what the project is for: crowds buy tickets while servers come and go and a release rolls, and none is lost."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import building, crowd, faults, outage, report, runners, status, surge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REPORTS = Path(__file__).resolve().parent.parent / "reports"
_SURGE_ARRIVALS = 1.5  # customers per second before; six times as many leave this machine room to make servers
_RELEASE_AT = 0.15  # of the crowd's time
_LONGEST_RELEASE_SECONDS = 600  # that the crowd stays beyond its time while the release still rolls
_AFTER_SECONDS = 3  # that it stays at least when the release has ended
_RELEASE = building.Step("a release", "playbooks/application.yml", building.PROJECT)
_SITE = building.Step("the booking service", "playbooks/site.yml", building.PROJECT, building.PROGRESS)


@dataclass
class Timeline:
    """Keep what happened and when, and tell it as it happens."""

    started: float = field(default_factory=time.monotonic)
    events: list[report.Event] = field(default_factory=list)

    def seconds(self) -> float:
        """Return the seconds since the demonstration began."""
        return time.monotonic() - self.started

    def tell(self, what: str) -> float:
        """Record an event and print it; return when it was."""
        event = report.Event(self.seconds(), what)
        self.events.append(event)
        sys.stdout.write(f"[{event.at_s:6.0f} s] {what}\n")
        sys.stdout.flush()
        return event.at_s

    @contextlib.contextmanager
    def measured(self, into: dict[str, float], name: str) -> Iterator[None]:
        """Measure a part in seconds."""
        began = time.monotonic()
        yield
        into[name] = time.monotonic() - began


def run(lab: faults.Lab, *, seconds: int, arrivals: float, setup_seconds: float) -> bool:
    """Build everything, let the crowd buy for a while, audit, and write the report; return whether all is well."""
    _REPORTS.mkdir(exist_ok=True)
    timeline, durations = Timeline(time.monotonic() - setup_seconds), {"setup": setup_seconds}
    began = datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="seconds")
    with timeline.measured(durations, "lab"):
        timeline.tell("building the lab: colo, cloud, witness, customers")
        building.run(building.UP)
    with timeline.measured(durations, "site"):
        timeline.tell("bringing the booking service to its state (playbooks/site.yml)")
        building.run((_SITE,))
    with timeline.measured(durations, "image"):
        timeline.tell(
            "making the image that burst servers boot, and selling a ticket from it (playbooks/bake_image.yml)"
        )
        published = surge.bake(_REPORTS / "image.log")
    grown, journal = None, ""
    if published:
        with timeline.measured(durations, "surge"):
            grown, journal = surge.run(lab, timeline.tell, arrivals=_SURGE_ARRIVALS)
    crowd_began = timeline.tell(f"a crowd comes: {arrivals:g} customers per second for {seconds} s, through both edges")
    with runners.held(lab, "the demonstration's crowd is not one to scale for"):
        shopping, release = _roll(lab, timeline, seconds=seconds, arrivals=arrivals)
    timeline.tell("comparing what customers were told with the database and the payment company")
    audit = crowd.audit(lab, journal + shopping.journal)
    timeline.tell(f"audit: {audit['confirmed']} bookings confirmed to customers, {audit['missing']} of them missing")
    with timeline.measured(durations, "outage"):
        dark = outage.show(lab, timeline.tell, _REPORTS)
    hosts = [asdict(host) for host in status.read(lab).hosts]
    shown = report.Demonstration(
        began, timeline.events, durations, shopping.report, audit, hosts, crowd_began, release, grown, dark
    )
    return write(shown)


def write(shown: report.Demonstration, folder: Path = _REPORTS) -> bool:
    """Write `latest.json` and `latest.html`, say what was wrong, and return whether nothing was."""
    folder.mkdir(exist_ok=True)
    told: Mapping[str, Any] = report.document(shown)
    (folder / "latest.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "latest.html").write_text(report.page(shown), encoding="utf-8")
    sys.stdout.write(f"\nThe report: {folder / 'latest.html'} (for programs: latest.json)\n")
    for fault in told["faults"]:
        sys.stdout.write(f"{fault}\n")
    return not told["faults"]


def rolled(journal: str, began: datetime, ended: datetime, *, everywhere: bool) -> report.Release:
    """Sum a release up by what the crowd's journal says of the time while it rolled and after it."""
    sold = [datetime.fromisoformat(json.loads(line)["at"]) for line in journal.splitlines()]
    return report.Release(everywhere, sum(began <= at <= ended for at in sold), sum(at > ended for at in sold))


def _roll(
    lab: faults.Lab, timeline: Timeline, *, seconds: int, arrivals: float
) -> tuple[crowd.Shopping, report.Release]:
    """Let customers buy and a release roll meanwhile; they go home when their time is over, but not before its end."""
    name, home = time.strftime("%Y%m%d-%H%M%S"), time.monotonic() + seconds
    words = ["--arrivals", f"{arrivals:g}", "--duration", str(seconds + _LONGEST_RELEASE_SECONDS)]
    buying = crowd.start(lab, name, words)
    try:
        time.sleep(seconds * _RELEASE_AT)
        began = datetime.now(UTC)
        everywhere = _release(timeline)
        ended = datetime.now(UTC)
        time.sleep(max(_AFTER_SECONDS, home - time.monotonic()))
    finally:
        crowd.send_home(lab, name)
    shopping = crowd.finish(lab, name, buying)
    return shopping, rolled(shopping.journal, began, ended, everywhere=everywhere)


def _release(timeline: Timeline) -> bool:
    """Roll a release through the servers while customers buy; return whether it is on all of them."""
    name = crowd.next_release()
    timeline.tell(f"rolling release {name} begins, one server at a time")
    log = _REPORTS / "release.log"
    with log.open("w", encoding="utf-8") as stream:
        done = building.play(_RELEASE, ["-e", f"booking_version={name}"], output=stream)
    everywhere = done == 0
    timeline.tell(f"rolling release {name} {'is everywhere' if everywhere else f'FAILED, see {log}'}")
    return everywhere
