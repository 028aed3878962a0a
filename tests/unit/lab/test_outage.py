"""What pgBackRest tells of the newest backup."""

from __future__ import annotations

from typing import Any

from lab.outage import figures

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
