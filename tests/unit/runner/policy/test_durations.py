"""Durations are written and read in the same words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runner.policy.durations import parse, words


@given(some.integers(0, 10_000_000))
def test_a_written_duration_reads_as_itself(seconds: int) -> None:
    assert parse(words(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "5x", "-3m", "3 m", "m", "3m3m", "1.5h", 3, None, True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 10m"):
        parse(text)


def test_a_negative_duration_is_written_as_none() -> None:
    assert words(timedelta(seconds=-5)) == "0s"
