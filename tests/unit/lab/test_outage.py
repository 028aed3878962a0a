"""What pgBackRest tells of the newest backup, and monitoring of its proof."""

from __future__ import annotations

from typing import Any

from lab.outage import figures, proof_figures

INFO: list[dict[str, Any]] = [
    {
        "name": "understudy",
        "backup": [
            {"type": "full", "timestamp": {"start": 100, "stop": 130}, "info": {"repository": {"delta": 8000000}}},
            {"type": "diff", "timestamp": {"start": 200, "stop": 206}, "info": {"repository": {"delta": 90000}}},
        ],
    }
]


def test_the_newest_backup_is_told() -> None:
    assert figures(INFO) == {"size_bytes": 90000, "seconds": 6, "type": "diff"}


def test_a_stanza_without_a_backup_tells_nothing() -> None:
    assert figures([{"name": "understudy", "backup": []}]) == {}
    assert figures([]) == {}


def test_the_figures_of_a_proof_are_told_and_others_are_not() -> None:
    text = (
        "# TYPE understudy_backup_proof_duration_seconds gauge\n"
        "understudy_backup_proof_ok 1\n"
        "understudy_backup_proof_duration_seconds 67\n"
        "understudy_backup_proof_newest_booking_age_seconds 3.5\n"
    )
    assert proof_figures(text) == {"proof_seconds": 67, "newest_booking_age_s": 3.5}
    assert proof_figures("understudy_backup_proof_ok 0\n") == {}
