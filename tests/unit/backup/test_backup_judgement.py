"""What is said of backups, from answers of pgBackRest 2.55 that were recorded, whole and damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils import backup_judgement as judgement
from plugins.module_utils import backup_wal

RECORDED = Path(__file__).parent / "recorded"
FULL, LEANING = "20261128-153749F", "20261128-153749F_20261128-153755I"
LIMITS = judgement.Limits(oldest_seconds=26 * 3600, least_share=0.5, most_share=2.0)
SECONDS_AFTER = 1795880277 + 60


def recorded(name: str) -> Any:
    text = (RECORDED / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


INFO = recorded("info.json")[0]
KNOWN = judgement.backups(INFO)
ARCHIVE = recorded("archive.json")
SEGMENTS = backup_wal.segments(ARCHIVE)


def without(*names: str) -> tuple[backup_wal.Segment, ...]:
    return tuple(segment for segment in SEGMENTS if segment.name not in names)


def wal(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{0:08X}{number:08X}"


def after(*megabytes: int) -> tuple[judgement.Backup, ...]:
    return tuple(replace(KNOWN[0], label=f"B{n}", size_bytes=size * 10**6) for n, size in enumerate(megabytes))


def test_the_list_is_read() -> None:
    assert [backup.label for backup in KNOWN] == [FULL, LEANING]
    assert KNOWN[1].leans_on == (FULL,)
    assert (KNOWN[0].size_bytes, KNOWN[0].stored_bytes) == (37249606, 13233696)
    assert judgement.backups(INFO, repository=2) == ()
    assert judgement.backups({}) == ()


def test_a_place_is_there_or_not() -> None:
    assert judgement.has_place(INFO)
    assert not judgement.has_place({})
    assert not judgement.has_place(recorded("info_storage_away.json")[0])


def test_a_running_backup_is_seen() -> None:
    assert not judgement.is_running(INFO)
    assert judgement.is_running({"status": {"lock": {"backup": {"held": True}}}})


def test_nothing_is_said_of_what_is_well() -> None:
    assert judgement.judge_age_and_size(KNOWN, SECONDS_AFTER, LIMITS) == []
    assert backup_wal.judge_wal(SEGMENTS, KNOWN, wal(9)) == []
    assert judgement.judge_verification(recorded("verify_well.txt"), KNOWN) == []


def test_no_backup_is_no_good_news() -> None:
    assert judgement.judge_age_and_size((), SECONDS_AFTER, LIMITS)[0].startswith("no backup: ")


def test_too_old_is_said_with_the_age() -> None:
    said = judgement.judge_age_and_size(KNOWN, SECONDS_AFTER + 30 * 3600, LIMITS)
    assert said == [f"too old: the newest backup, {LEANING}, is 30.0 h old; the limit is 26 h."]


@pytest.mark.parametrize(
    ("sizes", "word"),
    [
        ((100, 100, 102, 40), "too small"),
        ((100, 100, 102, 240), "growing oddly"),
        ((100, 100, 102, 60), None),
        ((100, 100, 20), None),
    ],
    ids=["small", "large", "usual", "too few to compare with"],
)
def test_an_odd_size_is_said(sizes: tuple[int, ...], word: str | None) -> None:
    said = judgement.judge_age_and_size(after(*sizes), SECONDS_AFTER, LIMITS)
    assert [sentence.split(":")[0] for sentence in said] == ([word] if word else [])


def test_a_size_is_compared_with_the_last_ten() -> None:
    said = judgement.judge_age_and_size(after(*[1000] * 20, *[100] * 10, 100), SECONDS_AFTER, LIMITS)
    assert said == []


def test_pages_with_wrong_checksums_are_said() -> None:
    said = judgement.judge_age_and_size((replace(KNOWN[0], whole=False),), SECONDS_AFTER, LIMITS)
    assert said[0].startswith("damaged at the source: ")


def test_a_gap_in_the_middle_is_named() -> None:
    said = backup_wal.judge_wal(without(wal(5)), KNOWN[:1], wal(9))
    assert said == [f"WAL gap: {wal(5)} is missing; no moment after it can be reached from a backup before it."]
    assert f"{wal(5)} to {wal(6)} (2 segments)" in backup_wal.judge_wal(without(wal(5), wal(6)), KNOWN[:1], wal(9))[0]


def full(number: int, timeline: int = 1) -> judgement.Backup:
    """Return a full backup that begins and ends in a segment."""
    segment = wal(number, timeline)
    return replace(KNOWN[0], label=f"F{number}", first_wal=segment, last_wal=segment)


@pytest.mark.parametrize("kind", ["full", "diff", "incr"])
def test_a_gap_before_the_newest_backup_breaks_nothing_and_is_told(kind: str) -> None:
    left, known = without(wal(5)), (*KNOWN[:1], replace(full(8), kind=kind))
    assert backup_wal.judge_wal(left, known, wal(9)) == []
    assert backup_wal.bygone_gaps(left, known) == (wal(5),)
    assert backup_wal.bygone_gaps(SEGMENTS, known) == ()


@pytest.mark.parametrize(
    "newest",
    [
        replace(full(8), whole=False),
        replace(full(8), last_wal=wal(10)),
        full(4),
    ],
    ids=["damaged at the source", "without its WAL", "before the gap"],
)
def test_no_other_backup_heals_a_gap(newest: judgement.Backup) -> None:
    assert any(
        "no moment after it" in said for said in backup_wal.judge_wal(without(wal(5)), (*KNOWN[:1], newest), wal(9))
    )
    assert backup_wal.bygone_gaps(without(wal(5)), (*KNOWN[:1], newest)) == ()


def test_a_backup_of_an_older_timeline_heals_no_gap_of_a_newer_one() -> None:
    newer = tuple(backup_wal.Segment("17-1", wal(number, timeline=2), SECONDS_AFTER) for number in (4, 6, 9))
    known = (*KNOWN, full(8))
    assert len(backup_wal.judge_wal((*SEGMENTS, *newer), known, "")) == 2
    known = (*KNOWN, full(9, timeline=2))
    assert backup_wal.judge_wal((*SEGMENTS, *newer), known, "") == []


def test_wal_that_a_backup_needs_is_missed_also_at_the_ends() -> None:
    said = backup_wal.judge_wal(without(*(wal(number) for number in range(1, 5))), KNOWN, wal(9))
    assert said == [f"WAL gap: {wal(4)} is missing, and {FULL} cannot be restored without it."]


def test_the_newest_is_missed_when_it_never_came() -> None:
    assert backup_wal.judge_wal(SEGMENTS, KNOWN, wal(10)) == [
        f"WAL gap: {wal(10)} is missing, the newest that PostgreSQL handed over for the archive."
    ]
    assert backup_wal.judge_wal(SEGMENTS, KNOWN, "00000002.history") == []


@pytest.mark.parametrize(("first", "broken"), [(9, False), (10, False), (11, True)])
def test_a_new_timeline_goes_on_where_the_old_one_ended(first: int, broken: bool) -> None:
    newer = backup_wal.Segment("17-1", wal(first, timeline=2), SECONDS_AFTER)
    assert bool(backup_wal.judge_wal((*SEGMENTS, newer), KNOWN, "")) is broken


def test_segments_are_counted_across_logs() -> None:
    pair = [backup_wal.Segment("17-1", name, 0) for name in ("0000000100000000000000FF", "000000010000000100000000")]
    assert backup_wal.judge_wal(pair, (), "") == []


def test_a_list_of_contents_that_is_missing_is_named() -> None:
    there = [f"{label}/backup.manifest{end}" for label in (FULL, LEANING) for end in ("", ".copy")]
    assert judgement.judge_objects(there, KNOWN) == []
    assert judgement.judge_objects(there[1:], KNOWN) == [
        f"object missing: {FULL}/backup.manifest, of which a second copy is kept."
    ]


def test_flipped_bytes_are_named_with_all_that_leans_on_them() -> None:
    said = judgement.judge_verification(recorded("verify_flipped.txt"), KNOWN)
    assert said == [
        f"bytes flipped: {FULL}/pg_data/base/5/16386.lz4 is not what was written. Do not trust {FULL}, {LEANING}."
    ]


def test_flipped_wal_is_named() -> None:
    (said,) = judgement.judge_verification(recorded("verify_wal_flipped.txt"), KNOWN)
    assert said.startswith("bytes flipped: 17-1/0000000100000000/000000010000000000000005-")


def test_a_missing_object_is_named_once() -> None:
    said = judgement.judge_verification(recorded("verify_missing.txt"), KNOWN)
    assert said == [f"object missing: {FULL}/bundle/1 is not there. Do not trust {FULL}, {LEANING}."]


def test_many_objects_are_counted() -> None:
    text = "\n".join(f"P01 INFO: file missing '{FULL}/pg_data/{number}'" for number in range(9))
    assert " and 6 more is not there." in judgement.judge_verification(text, KNOWN)[0]


def test_a_verification_that_did_not_end_is_not_well() -> None:
    assert judgement.judge_verification("ERROR: [082]: storage is away", KNOWN)[0].startswith("unknown: ")
    assert judgement.judge_verification("", KNOWN)[0].endswith("no answer")


def test_a_verdict_without_a_reason_is_said_as_it_is() -> None:
    text = recorded("verify_well.txt").replace("153749F, status: valid", "153749F, status: manifest missing")
    assert judgement.judge_verification(text, KNOWN) == [f"not whole: pgBackRest calls {FULL} manifest missing."]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("2026-11-29T00:37:55+09:00", ""),
        ("2026-11-28T15:37:55Z", ""),
        ("2026-11-28T15:37:55", "has no time zone"),
        ("yesterday", "is no moment"),
        ("2026-11-29T00:37:51+09:00", "holds from 2026-11-29T00:37:52+09:00 to 2026-11-29T00:37:59+09:00"),
        ("2026-11-29T00:38:00+09:00", "cannot be reached"),
    ],
)
def test_a_moment_is_reached_or_refused_with_the_range_there_is(text: str, reason: str) -> None:
    moment, refusal = judgement.judge_moment(text, KNOWN, SEGMENTS)
    assert reason in refusal
    assert bool(refusal) is bool(reason)
    assert (moment is not None) is (bool(text) and not reason)


def test_without_a_backup_nothing_is_restored() -> None:
    assert judgement.judge_moment("", (), SEGMENTS) == (None, "There is no backup to restore.")


def test_figures_are_written_for_prometheus() -> None:
    assert judgement.figures({"understudy_backup_run_ok": 1.0}).splitlines()[1:] == [
        "# TYPE understudy_backup_run_ok gauge",
        "understudy_backup_run_ok 1",
    ]


def test_an_odd_age_or_size_does_not_keep_data_from_coming_back() -> None:
    spoiling = ["bytes flipped: x is not what was written.", "repository 2: WAL gap: y is missing.", "no backup: none."]
    odd = ["too old: x.", "repository 2: too small: y.", "growing oddly: z."]
    assert judgement.spoiling([*odd, *spoiling]) == spoiling
