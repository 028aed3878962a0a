"""Judge the chain of WAL in the backup storage: which segments there are, and which are missing.

Pure: names of objects and backups come in, sentences go out. Names of WAL segments are PostgreSQL's (xlog_internal.h).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backup_judgement import Backup

SEGMENT_BYTES = 16 * 1024 * 1024
_SEGMENT = re.compile(r"^(?P<cluster>[^/]+)/[0-9A-F]{16}/(?P<name>[0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$")


@dataclass(frozen=True)
class Segment:
    """A segment of WAL in the storage."""

    cluster: str
    name: str
    stored_at: int

    @property
    def timeline(self) -> int:
        """Return the number of its timeline."""
        return int(self.name[:8], 16)

    def number(self, segment_bytes: int) -> int:
        """Return its place in the order of segments."""
        return int(self.name[8:16], 16) * (2**32 // segment_bytes) + int(self.name[16:], 16)


def segments(objects: Iterable[str] | Mapping[str, Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Return the segments among the objects below archive/STANZA."""
    times = objects if isinstance(objects, Mapping) else {}
    matches = (_SEGMENT.match(name) for name in objects)
    return tuple(
        Segment(match["cluster"], match["name"], int(times.get(match[0], {}).get("time", 0)))
        for match in matches
        if match
    )


def judge_wal(
    found: Sequence[Segment], known: Sequence[Backup], newest_sent: str, segment_bytes: int = SEGMENT_BYTES
) -> list[str]:
    """Say where the chain of WAL is broken. `newest_sent` is the segment that PostgreSQL handed over last, or empty.

    A gap before the newest backup breaks nothing that comes after it: `bygone_gaps` names those. An incremental one
    leans on files of those before it, not on the WAL between (pgBackRest's reference, archive-push-queue-max).
    """
    said = [
        f"WAL gap: {gap.name(segment_bytes)} is missing; no moment after it can be reached from a backup before it."
        for gap in _gaps(found, segment_bytes)
        if not gap.is_before(_chain(found, known), segment_bytes)
    ]
    names = {segment.name for segment in found}
    for backup in known:
        lost = [name for name in dict.fromkeys((backup.first_wal, backup.last_wal)) if name and name not in names]
        if lost:
            said.append(f"WAL gap: {' and '.join(lost)} is missing, and {backup.label} cannot be restored without it.")
    if re.fullmatch(r"[0-9A-F]{24}", newest_sent) and newest_sent not in names:
        said.append(f"WAL gap: {newest_sent} is missing, the newest that PostgreSQL handed over for the archive.")
    return list(dict.fromkeys(said))


def bygone_gaps(
    found: Sequence[Segment], known: Sequence[Backup], segment_bytes: int = SEGMENT_BYTES
) -> tuple[str, ...]:
    """Name the gaps before the newest backup: moments between a gap and that backup cannot be reached."""
    chain = _chain(found, known)
    return tuple(gap.name(segment_bytes) for gap in _gaps(found, segment_bytes) if gap.is_before(chain, segment_bytes))


@dataclass(frozen=True)
class _Gap:
    """Segments of a timeline that are missing: the numbers of the first and the last."""

    cluster: str
    timeline: int
    first: int
    last: int

    def name(self, segment_bytes: int) -> str:
        first, last = (_name(self.timeline, number, segment_bytes) for number in (self.first, self.last))
        return first if first == last else f"{first} to {last} ({self.last - self.first + 1} segments)"

    def is_before(self, chain: Segment | None, segment_bytes: int) -> bool:
        """Tell whether a chain of WAL begins after it; one of an older timeline says nothing of a newer one."""
        return (
            chain is not None
            and self.cluster == chain.cluster
            and self.timeline <= chain.timeline
            and self.last < chain.number(segment_bytes)
        )


def _chain(found: Sequence[Segment], known: Sequence[Backup]) -> Segment | None:
    """Return the segment with which the newest backup begins, of those that are whole with their WAL."""
    there = {segment.name: segment for segment in found}
    whole = [each for each in known if each.whole and {each.first_wal, each.last_wal} <= set(there)]
    return there[whole[-1].first_wal] if whole else None


def _gaps(found: Sequence[Segment], segment_bytes: int) -> list[_Gap]:
    """Return what is missing between the segments of each timeline, and between it and the one before."""
    gaps = []
    for cluster in sorted({segment.cluster for segment in found}):
        lines: dict[int, set[int]] = {}
        for segment in found:
            if segment.cluster == cluster:
                lines.setdefault(segment.timeline, set()).add(segment.number(segment_bytes))
        before: int | None = None
        for timeline in sorted(lines):
            numbers = sorted(lines[timeline])
            pairs = list(itertools.pairwise(numbers))
            if before is not None and numbers[0] > before + 1:
                pairs.insert(0, (before, numbers[0]))
            gaps += [_Gap(cluster, timeline, left + 1, right - 1) for left, right in pairs if right > left + 1]
            before = numbers[-1]
    return gaps


def _name(timeline: int, number: int, segment_bytes: int) -> str:
    per_log = 2**32 // segment_bytes
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"
