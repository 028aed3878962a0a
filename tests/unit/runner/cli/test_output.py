"""Words for times, spans and values; the reading of streams; completion."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest

from runner.cli import output, stream, words
from runner.cli.session import Surroundings
from tests.unit.runner.cli.desk import NOW


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "0 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"), (7300, "2 h ago"),
        (86400, "1 day ago"), (200_000, "2 days ago"), (-0.5, "0 s ago"), (-180, "in 3 min"),
    ],
)  # fmt: skip
def test_an_age_is_told_in_its_largest_unit(seconds: float, expected: str) -> None:
    assert output.age(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, "0.0 s"), (4.24, "4.2 s"), (185, "3 min 5 s"), (7261, "2 h 1 min")]
)
def test_a_span_is_told_with_what_matters(seconds: float, expected: str) -> None:
    assert output.span(seconds) == expected


def test_a_moment_of_another_day_has_its_date_and_the_zone_is_the_readers() -> None:
    seoul = Surroundings({}, clock=lambda: NOW, zone=timezone(timedelta(hours=9)))
    assert output.moment("2026-11-25T08:39:10Z", seoul) == "17:39:10 (3 min ago)"
    assert output.moment("2026-11-24T08:39:10Z", seoul) == "2026-11-24 17:39:10 (1 day ago)"
    assert output.moment(None, seoul) == ""


def test_variables_are_written_as_they_are_typed() -> None:
    assert output.pairs({"wanted_servers": 3, "really": True}) == "wanted_servers=3 really=true"


def test_a_stream_is_read_by_its_standard() -> None:
    lines = [": a comment", "", "id: 1", 'data: {"a":', "data: 1}", "", "event: end", "data:no json", "", "data: half"]
    found = list(stream.events(lines))
    assert [(each.name, each.data) for each in found] == [("message", {"a": 1}), ("end", None)]
    assert found[1].text == "no json"


def test_actions_are_completed_with_what_they_do() -> None:
    assert [name for name, _ in words.actions("scale_")] == ["scale_in", "scale_out"]
    assert dict(words.actions("bake"))["bake_image"].startswith("Make the image")


def test_local_times_follow_the_machine_when_no_zone_is_given() -> None:
    here = Surroundings({}, clock=lambda: NOW)
    expected = NOW.astimezone().strftime("%H:%M:%S")
    assert output.clock(NOW.astimezone(UTC).isoformat(), here) == expected
