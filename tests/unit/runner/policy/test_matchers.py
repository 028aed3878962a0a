"""Matchers mean what they mean to Alertmanager."""

from __future__ import annotations

import pytest

from runner.policy.matchers import parse

LABELS = {"alertname": "BookingSlow", "severity": "page", "path": 'C:\\a "b"', "code": "503"}


@pytest.mark.parametrize(
    "text",
    [
        'alertname="BookingSlow"',
        "alertname=BookingSlow",
        ' alertname = "BookingSlow" ',
        'severity=~"page|critical"',
        'severity!="info"',
        'severity!~"in.*"',
        'absent=""',
        'absent!="x"',
        'code=~"5\\d\\d"',
        r'path="C:\\a \"b\""',
        'alertname!="Booking.low"',
    ],
)
def test_a_matcher_lets_through(text: str) -> None:
    assert parse(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    ['alertname="Booking"', 'alertname=~"Booking"', 'severity!~"page|x"', 'absent!=""', 'alertname="Booking.low"'],
)
def test_a_matcher_keeps_out_because_it_stands_for_the_whole_value(text: str) -> None:
    assert not parse(text).matches(LABELS)


@pytest.mark.parametrize("text", ["", "alertname", '="x"', 'a=="x"', 'a="x', 'a="x" b="y"', '1a="x"', 5, None])
def test_what_is_no_matcher_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a matcher such as"):
        parse(text)
