"""Sum up what a drill saw: how long nobody got a ticket, what was lost, and whether two sites wrote at once.

Pure: journals and logs in, figures out. Moments are aware, or seconds since the epoch where a log has them so.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GRACE_SECONDS = 3.0  # a purchase that was being answered when it happened may still be confirmed


@dataclass(frozen=True)
class Booking:
    """A booking that was confirmed to a customer, who never waited longer than this for an answer."""

    at: datetime
    number: str
    longest_wait_s: float


@dataclass(frozen=True)
class Outage:
    """The longest time without a confirmed booking; both seconds count from the event."""

    began_s: float
    ended_s: float
    over: bool  # whether anybody bought afterwards

    @property
    def rto_s(self) -> float:
        """Return how long nobody got a ticket; from the event on where the event began it."""
        return self.ended_s - (0 if self.began_s <= GRACE_SECONDS else self.began_s)


def bookings(journal: str) -> list[Booking]:
    """Read a journal; a last line without its end counts no more than its customer counted it."""
    whole = journal[: journal.rfind("\n") + 1]
    documents = (json.loads(line) for line in whole.splitlines())
    found = [
        Booking(datetime.fromisoformat(each["at"]), str(each["booking_number"]), float(each["longest_wait_s"]))
        for each in documents
    ]
    return sorted(found, key=lambda each: each.at)


def outage(sold: Sequence[Booking], event: datetime, until: datetime) -> Outage:
    """Return the longest pause between the event and `until`; one that had begun before counts from the event."""
    moments = [event, *(each.at for each in sold if event < each.at < until), until]
    began, ended = max(pairwise(moments), key=lambda pair: pair[1] - pair[0])
    return Outage((began - event).total_seconds(), (ended - event).total_seconds(), over=ended < until)


def lost_seconds(sold: Iterable[Booking], missing: Iterable[str], event: datetime) -> float:
    """Return the time whose bookings are missing: from the first to the last, or to the event if that is later."""
    gone = set(missing)
    moments = sorted(each.at for each in sold if each.number in gone)
    return (max(event, moments[-1]) - moments[0]).total_seconds() if moments else 0.0


def missing_numbers(audit: Mapping[str, Any]) -> list[str]:
    """Return the numbers of the bookings that an audit misses."""
    return [each["booking_number"] for each in audit.get("findings", []) if each["kind"] == "missing"]


def news(audit: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return an audit without what an earlier one had found already: a drill answers for what it did."""
    known = {(each["kind"], each["idempotency_key"]) for each in before["findings"]}
    found = [each for each in audit["findings"] if (each["kind"], each["idempotency_key"]) not in known]
    counts = Counter(each["kind"] for each in found)
    return {key: counts.get(key, 0) for key in audit} | {"confirmed": audit["confirmed"], "findings": found}


@dataclass(frozen=True)
class Acknowledged:
    """One row that a site's database acknowledged; `at` in seconds since the epoch."""

    at: float
    number: int


def acknowledged(log: str) -> list[Acknowledged]:
    """Read a writer's log: lines `A <sent> <acknowledged> <number>`; what begins otherwise was not acknowledged."""
    rows = (line.split() for line in log[: log.rfind("\n") + 1].splitlines() if line.startswith("A "))
    return [Acknowledged(float(row[2]), int(row[3])) for row in rows]


def both_wrote_ms(old: Sequence[Acknowledged], new: Sequence[Acknowledged]) -> float:
    """Return for how long both sites acknowledged: from the new leader's first row to the old one's last."""
    if not old or not new:
        return 0.0
    return max(0.0, max(each.at for each in old) - min(each.at for each in new)) * 1000


@dataclass(frozen=True)
class Sight:
    """Who held the lease at a moment, as a member of the consensus said; `holder` is empty when nobody did."""

    at: float
    holder: str


def sights(log: str) -> list[Sight]:
    """Read the log of the lease: lines `<moment> <holder>`, `-` for nobody; `?`, no answer, is left out."""
    rows = (line.split() for line in log[: log.rfind("\n") + 1].splitlines())
    return [Sight(float(row[0]), "" if row[1] == "-" else row[1]) for row in rows if len(row) == 2 and row[1] != "?"]


def lease_ended(seen: Sequence[Sight], holder: str, event: float) -> float | None:
    """Return when a holder was first seen without its lease after the event; None when it always held it."""
    return next((each.at for each in seen if each.at > event and each.holder != holder), None)


def before_lease_ended_s(old: Sequence[Acknowledged], ended: float | None) -> float | None:
    """Return how long before its lease's end the old leader acknowledged for the last time; negative: after it."""
    return ended - max(each.at for each in old) if old and ended is not None else None


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of those that were measured; None when none was."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def longest_wait_s(sold: Sequence[Booking], since: datetime, until: datetime) -> float:
    """Return the longest wait for an answer among those who bought between two moments; where nobody did, all of it."""
    waited = (each.longest_wait_s for each in sold if since < each.at < until)
    return max(waited, default=(until - since).total_seconds())


def later(moment: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds later."""
    return moment + timedelta(seconds=seconds)
