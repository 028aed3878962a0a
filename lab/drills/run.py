"""Run rows of the failure matrix: a crowd buys, something breaks, is answered, audited and mended."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab import crowd, faults, servers
from lab.drills import health, judge, measure, mending, playbooks, record, writers
from lab.drills.acting import Actor
from lab.drills.rows import ARCHIVE
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lab.drills.rows import Row

ARRIVALS = 3.0
_LONGEST_SECONDS = 1800  # that the crowd stays when nobody sends it home
_BEFORE_SECONDS, _AFTER_SECONDS, _WELL_SECONDS = 15, 6, 300
_PATIENCE_SECONDS = 60
_AUDIT_KEYS = ("confirmed", "missing", "sold_twice", "paid_without_booking", "booked_without_payment", "unsettled")


@dataclass
class Seen:
    """What was seen before anything was mended."""

    event: datetime
    until: datetime
    sold: Sequence[measure.Booking]
    audit: Mapping[str, Any]
    both_wrote_ms: float | None
    stopped_early_s: float | None
    rows_lost: int


Result = dict[str, Any]


def run(
    lab: faults.Lab, rows: Sequence[Row], ended: Callable[[Result], None], reports: Path = record.REPORTS
) -> list[Result]:
    """Run rows one after the other; the tier that there was is there again afterwards. `ended` hears of each result."""
    if told := health.wait(lab, _AFTER_SECONDS):
        raise LabError(
            f"The lab is not well, so a drill would prove nothing: {' '.join(told)} Mend it, then try again."
        )
    tier = there = health.tier(health.members(lab))
    results: list[Result] = []
    try:
        for row in rows:
            there = _bring(row.tier or tier, there, reports)
            results.append(_recorded(lab, row, there, reports))
            ended(results[-1])
    finally:
        _bring(tier, there, reports)
    return results


def _bring(wanted: str, there: str, reports: Path) -> str:
    """Bring the data to a tier, unless they are there; raises LabError when that fails."""
    if wanted != there:
        record.say(f"Bringing the data from tier {there} to {wanted} (playbooks/change_data_tier.yml).")
        log = reports / "drills/change_data_tier.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        done = playbooks.run("change_data_tier", ["-e", f"data_tier={wanted}"], log)
        if done.code != 0:
            raise LabError(f"The data did not come from tier {there} to {wanted}; {log} says why.")
    return wanted


def _recorded(lab: faults.Lab, row: Row, tier: str, reports: Path) -> dict[str, Any]:
    """Run one row, and leave its sealed evidence whatever comes of it."""
    began = datetime.now(UTC)
    folder = reports / "evidence" / f"{began:%Y%m%dT%H%M%SZ}-drill-{row.name}"
    folder.mkdir(parents=True)
    timeline = record.Timeline(folder / "timeline.jsonl")
    timeline.tell(f"drill {row.name}: {row.title}; tier {tier}; deadline {row.deadline_seconds:g} s")
    actor = Actor(lab, tier, folder, timeline.tell)
    head: dict[str, Any] = {
        "row": row.name,
        "title": row.title,
        "tier": tier,
        "began": began.isoformat(timespec="seconds"),
    }
    head |= {"deadline_seconds": row.deadline_seconds, "then": row.then}
    record.write(folder / "versions.json", record.versions(lab))
    try:
        with mending.mended(actor, row):
            result = head | _drilled(actor, row)
        if told := health.wait(lab, _WELL_SECONDS):
            actor.faults += told
        if tier == ARCHIVE:
            actor.faults += health.archive_faults(servers.addresses(lab.topology, lab.paths))
    except BaseException as error:
        record.write(
            folder / "result.json", head | {"verdict": "broken", "faults": [f"{type(error).__name__}: {error}"]}
        )
        timeline.tell(f"the drill broke off: {error}")
        with contextlib.suppress(LabError):  # the reason to tell is the one above
            record.seal(lab, folder)
        raise
    told = [*judge.faults(row, result), *actor.faults]
    result |= {"verdict": "missed" if told else "met", "faults": told, "evidence": folder.name}
    for sentence in told:
        timeline.tell(sentence)
    timeline.tell(record.summary(result))
    record.write(folder / "result.json", result)
    record.write(reports / "drills" / f"{row.name}.json", result)
    record.say(record.seal(lab, folder))
    return result


def _drilled(actor: Actor, row: Row) -> dict[str, Any]:
    """Let a crowd buy through the whole of it; return the figures."""
    lab = actor.lab
    if row.fails_over:
        actor.play("acknowledge_recovery")
    name = f"drill-{row.name}-{time.strftime('%H%M%S')}"
    actor.do(row.prepare)
    before = crowd.audit(lab, "", settle_seconds=5)
    actor.tell(f"a crowd comes: {ARRIVALS:g} customers per second, through both edges")
    patience = f"{row.deadline_seconds + _PATIENCE_SECONDS:g}"  # customers who gave up would hide a late return
    words = ["--arrivals", f"{ARRIVALS:g}", "--duration", str(_LONGEST_SECONDS), "--patience", patience]
    process = crowd.start(lab, name, words)
    try:
        seen = _broken(actor, row, name, before)
        mending.heal(actor, row)
        failback = _returned(actor, name) if row.fails_over else None
        _wait_for_sales(lab, name, datetime.now(UTC), _AFTER_SECONDS)
    finally:
        crowd.send_home(lab, name)
        shopping = crowd.finish(lab, name, process)
        record.write(actor.folder / "crowd.json", shopping.report)
        (actor.folder / "journal.jsonl").write_text(shopping.journal, encoding="utf-8")
    audit = measure.news(crowd.audit(lab, shopping.journal), before)
    record.write(actor.folder / "audit.json", {"before": before, "before_mending": seen.audit, "at_the_end": audit})
    return figures(seen, audit, failback) | {"purchases": shopping.report["purchases"], **actor.kept}


def _broken(actor: Actor, row: Row, name: str, before: Mapping[str, Any]) -> Seen:
    """Break it, act, and look at what customers and writers met until then."""
    lab = actor.lab
    both = row.fails_over or writers.exists(lab, writers.NEW)
    with writers.writing(lab, actor.folder, both=both, watcher=row.watcher) as streams:
        _wait_for_sales(lab, name, datetime.now(UTC), _BEFORE_SECONDS)
        event = datetime.now(UTC)
        actor.tell("now")
        actor.do(row.inject)
        actor.do(row.act)
        sold_until = max(datetime.now(UTC), measure.later(event, row.held_seconds - _AFTER_SECONDS))
        _wait_for_sales(lab, name, sold_until, _AFTER_SECONDS)
        until = datetime.now(UTC)
        journal = _journal(lab, name)
    _keep_card(actor)
    leader = writers.NEW if row.fails_over else writers.OLD
    actor.tell(f"comparing what customers were told with the database that {leader} has")
    audit = measure.news(crowd.audit(lab, journal, settle_seconds=5, auditor=row.auditor), before)
    old, new, lease = streams.rows(writers.OLD), streams.rows(writers.NEW), streams.lease()
    measured = bool(new) if row.fails_over else both
    ended = measure.lease_ended(lease, writers.OLD, event.timestamp()) if row.fails_over else None
    return Seen(
        event,
        until,
        measure.bookings(journal),
        audit,
        measure.both_wrote_ms(old, new) if measured else None,
        measure.before_lease_ended_s(old, ended),
        writers.lost_rows(lab, streams, leader),
    )


def _returned(actor: Actor, name: str) -> dict[str, Any]:
    """Bring the show home and settle what the colo alone had; return what that took."""
    began = datetime.now(UTC)
    back = actor.play("fail_back_to_colo")
    sold = measure.bookings(_journal(actor.lab, name))
    wait_s = measure.longest_wait_s(sold, began, datetime.now(UTC))
    kept = playbooks.kept_list(back.words)
    if kept.place:
        actor.tell(f"the colo alone had {kept.bookings} bookings ({kept.conflicts} in conflict); settling them")
        actor.play("settle_bookings", "-e", f"settle_list={kept.place}")
    return {
        "seconds": round(back.seconds, 1),
        "longest_wait_s": round(wait_s, 2),
        "only_on_old_side": kept.bookings,
        "conflicts": kept.conflicts,
    }


def figures(seen: Seen, audit: Mapping[str, Any], failback: Mapping[str, Any] | None) -> dict[str, Any]:
    """Put the figures together (pure)."""
    outage = measure.outage(seen.sold, seen.event, seen.until)
    missing = measure.missing_numbers(seen.audit)
    early = seen.stopped_early_s
    return {
        "event": seen.event.isoformat(timespec="milliseconds"),
        "rto_s": round(outage.rto_s, 2),
        "outage": {"began_s": round(outage.began_s, 2), "ended_s": round(outage.ended_s, 2)},
        "sold_again": outage.over,
        "rpo_s": round(measure.lost_seconds(seen.sold, missing, seen.event), 2),
        "rpo_bookings": len(missing),
        "sold_twice": seen.audit["sold_twice"],
        "both_sites_wrote_ms": seen.both_wrote_ms,
        "stopped_before_lease_ended_s": None if early is None else round(early, 2),
        "writer_rows_lost": seen.rows_lost,
        "failback": failback,
        "audit": {key: audit[key] for key in _AUDIT_KEYS},
    }


def _keep_card(actor: Actor) -> None:
    """Keep what the observers said: the card that was shown, or one that is asked for now."""
    shown = next((each for each in reversed(actor.played) if playbooks.card(each.said)), None)
    if shown is None:
        shown = playbooks.run(
            "show_failover_card", ["-e", f"data_tier={actor.tier}"], actor.folder / "playbooks.log", seconds=120
        )
    document = {"told_by": shown.name, "card": playbooks.card(shown.said), "exit_code": shown.code}
    record.write(actor.folder / "observers.json", document)


def _journal(lab: faults.Lab, name: str) -> str:
    return crowd.read(lab, crowd.CROWD, f"/var/lib/crowd/{name}.journal")


def _wait_for_sales(lab: faults.Lab, name: str, since: datetime, seconds: float, limit_seconds: float = 120) -> None:
    """Wait until tickets were sold for some seconds after a moment; give up after the limit, which the figures show."""
    deadline = time.monotonic() + limit_seconds + max(0.0, (since - datetime.now(UTC)).total_seconds())
    while time.monotonic() < deadline:
        time.sleep(1)
        with contextlib.suppress(LabError):  # a crowd that has just come has no journal yet
            later = [each.at for each in measure.bookings(_journal(lab, name)) if each.at > since]
            if later and (later[-1] - later[0]).total_seconds() >= seconds - 1:
                return
