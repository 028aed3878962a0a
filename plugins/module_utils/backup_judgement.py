"""Judge backups by what pgBackRest says of them: damage, age and size, and how far back one can go.

Pure: what pgBackRest said and moments come in, sentences go out. A sentence names what is wrong; none means nothing is.

Moments are seconds since the epoch. Sources: pgBackRest's `info --output=json`, `repo-ls --output=json --recurse` and
`verify --output=text --verbose` with messages of level info (2.55; verify ends with 0 whatever it finds, and does not
look for WAL that is not there: `backup_wal` does).
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .backup_wal import Segment

COMPARED = 10  # how many earlier backups a size is compared with
ENOUGH = 3  # fewer say nothing about what is usual
NAMED = 3  # objects that a sentence names before it counts the rest
_NO_BACKUP_YET = 2  # pgBackRest's status of a place that is well, and empty
_DAMAGE = (
    ("object missing", re.compile(r"file missing '([^']+)'")),
    ("bytes flipped", re.compile(r"invalid (?:checksum|size) '([^']+)'")),
    ("bytes flipped", re.compile(r"invalid result (\S+): \[\d+\]")),
)
_ODD = re.compile(r"(?:repository \d+: )?(?:too old|too small|growing oddly):")  # and can be restored all the same
_VERDICT = re.compile(r"^ {2}backup: (\S+), status: ([^,]+),", re.MULTILINE)


@dataclass(frozen=True)
class Backup:
    """A backup as pgBackRest lists it. `stored_bytes` is what this one added to the storage."""

    label: str
    kind: str
    started_at: int
    stopped_at: int
    size_bytes: int
    copied_bytes: int
    stored_bytes: int
    first_wal: str
    last_wal: str
    leans_on: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Limits:
    """What is too old and what is an odd size: shares of the usual one."""

    oldest_seconds: float
    least_share: float
    most_share: float


def has_place(info: Mapping[str, Any]) -> bool:
    """Tell whether every repository knows the database."""
    codes = [repository["status"]["code"] for repository in info.get("repo", [])]
    return bool(codes) and set(codes) <= {0, _NO_BACKUP_YET}


def is_running(info: Mapping[str, Any]) -> bool:
    """Tell whether a backup is being taken or thrown away right now, on this host."""
    return bool(info.get("status", {}).get("lock", {}).get("backup", {}).get("held"))


def backups(info: Mapping[str, Any], repository: int = 1) -> tuple[Backup, ...]:
    """Return the backups of a repository, the oldest first."""
    found = [
        Backup(
            label=each["label"],
            kind=each["type"],
            started_at=each["timestamp"]["start"],
            stopped_at=each["timestamp"]["stop"],
            size_bytes=each["info"]["size"],
            copied_bytes=each["info"]["delta"],
            stored_bytes=each["info"]["repository"]["delta"],
            first_wal=each["archive"]["start"] or "",
            last_wal=each["archive"]["stop"] or "",
            leans_on=tuple(each["reference"] or ()),
            whole=not each.get("error"),
        )
        for each in info.get("backup", [])
        if each["database"]["repo-key"] == repository
    ]
    return tuple(sorted(found, key=lambda backup: backup.stopped_at))


def judge_age_and_size(known: Sequence[Backup], now: float, limits: Limits) -> list[str]:
    """Say what is wrong with the age and the size of the newest backup."""
    if not known:
        return ["no backup: the storage holds none of this database. Take one: playbooks/take_backup.yml."]
    newest, said = known[-1], []
    age = now - newest.stopped_at
    if age > limits.oldest_seconds:
        said.append(
            f"too old: the newest backup, {newest.label}, is {age / 3600:.1f} h old; the limit is "
            f"{limits.oldest_seconds / 3600:g} h."
        )
    if not newest.whole:
        said.append(f"damaged at the source: {newest.label} met pages with wrong checksums while it read the database.")
    earlier = [backup.size_bytes for backup in known[:-1]][-COMPARED:]
    if len(earlier) < ENOUGH:
        return said
    usual = statistics.median(earlier)
    share = newest.size_bytes / usual if usual else 1.0
    about = (
        f"{newest.label} holds a database of {megabytes(newest.size_bytes)}, the {len(earlier)} before it usually of"
    )
    if share < limits.least_share:
        said.append(f"too small: {about} {megabytes(usual)}. Is it the right database, and is everything in it?")
    if share > limits.most_share:
        said.append(f"growing oddly: {about} {megabytes(usual)}. What was loaded into it?")
    return said


def judge_objects(names: Iterable[str], known: Sequence[Backup]) -> list[str]:
    """Say which lists of contents are missing among the objects below backup/STANZA; each is kept twice."""
    there = set(names)
    wanted = [f"{backup.label}/backup.manifest{suffix}" for backup in known for suffix in ("", ".copy")]
    return [f"object missing: {name}, of which a second copy is kept." for name in wanted if name not in there]


def judge_verification(text: str, known: Sequence[Backup]) -> list[str]:
    """Say what `verify` found: objects that are missing or were changed, and backups that are spoiled by it."""
    damaged: dict[str, dict[str, None]] = {}
    for kind, pattern in _DAMAGE:
        for name in pattern.findall(text):
            damaged.setdefault(kind, {})[name] = None
    said = []
    for kind, objects in damaged.items():
        names = list(objects)
        rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        verb = "is not there" if kind == "object missing" else "is not what was written"
        said.append(f"{kind}: {', '.join(names[:NAMED])}{rest} {verb}.{_spoiled(names, known)}")
    verdicts = {label: verdict for label, verdict in _VERDICT.findall(text) if verdict != "valid"}
    unexplained = [label for label in verdicts if not any(label in sentence for sentence in said)]
    said += [f"not whole: pgBackRest calls {label} {verdicts[label]}." for label in unexplained]
    if not said and not re.search(r"^ *status: ok$", text, re.MULTILINE):
        said.append(
            f"unknown: the verification did not come to its end: {' '.join(text.split())[-300:] or 'no answer'}"
        )
    return said


def _spoiled(names: Sequence[str], known: Sequence[Backup]) -> str:
    """Name the backups that cannot be restored without these objects."""
    labels = {name.split("/", 1)[0] for name in names}
    hit = [backup.label for backup in known if labels & {backup.label, *backup.leans_on}]
    return f" Do not trust {', '.join(hit)}." if hit else ""


def spoiling(findings: Iterable[str]) -> list[str]:
    """Return the findings because of which data may not come back; a size or an age that is odd spoils nothing."""
    return [finding for finding in findings if not _ODD.match(finding)]


def judge_moment(text: str, known: Sequence[Backup], found: Sequence[Segment]) -> tuple[datetime | None, str]:
    """Read the moment to go back to; return it, or why it cannot be reached. No text is the end of the archive."""
    if not known:
        return None, "There is no backup to restore."
    if not text:
        return None, ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, f"'{text}' is no moment. Write it like 2026-11-28T21:15:00+09:00."
    if moment.tzinfo is None:
        return None, f"'{text}' has no time zone. Write it like {text}+09:00."
    first = known[0].stopped_at
    last = max((segment.stored_at for segment in found), default=known[-1].stopped_at)
    if not first <= moment.timestamp() <= last:
        return None, (
            f"{moment.isoformat()} cannot be reached. The storage holds from "
            f"{_told(first, moment)} to {_told(last, moment)}."
        )
    return moment, ""


def _told(seconds: int, like: datetime) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(like.tzinfo).isoformat()


def megabytes(count: float) -> str:
    """Write a size for people."""
    return f"{count / 1e6:.1f} MB" if count < 1e10 else f"{count / 1e9:.1f} GB"


def figures(values: Mapping[str, float]) -> str:
    """Write figures for node_exporter's textfile collector."""
    lines = (
        f"# HELP {name} {ABOUT[name]}\n# TYPE {name} gauge\n{name} {value:.0f}\n" for name, value in values.items()
    )
    return "".join(lines)


# Metrics that modules of this collection write; those of the WAL come from understudy_backup_watch.py.
ABOUT = {
    "understudy_backup_place_timestamp_seconds": "When the place in the storage was made.",
    "understudy_backup_run_ok": "Whether the last attempt to take a backup ended well.",
    "understudy_backup_run_timestamp_seconds": "When it ended.",
    "understudy_backup_newest_timestamp_seconds": "When the newest backup ended.",
    "understudy_backup_newest_size_bytes": "Size of the database in it.",
    "understudy_backup_newest_duration_seconds": "How long it took.",
    "understudy_backup_verify_ok": "Whether the last verification found nothing wrong.",
    "understudy_backup_verify_timestamp_seconds": "When it ended.",
    "understudy_backup_verify_duration_seconds": "How long it took.",
}
