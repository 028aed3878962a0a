from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InvalidRequest
from runner.model import AlertStatus
from runner.payloads import MOST_LABELS, deliveries, is_json

STARTS = "2026-11-25T17:00:00.123456789+09:00"
NEVER = "0001-01-01T00:00:00Z"


def alert(**other: Any) -> dict[str, Any]:
    plain = {
        "status": "firing",
        "labels": {"alertname": "BookingSlow", "severity": "page"},
        "annotations": {"summary": "느립니다"},
        "startsAt": STARTS,
        "endsAt": NEVER,
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "9f86d081884c7d65",
    }
    return {name: value for name, value in (plain | other).items() if value is not ...}


def alertmanager(*alerts: dict[str, Any], **other: Any) -> bytes:
    plain = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "runner", "alerts": list(alerts)}
    return json.dumps({name: value for name, value in (plain | other).items() if value is not ...}).encode()


def grafana(*alerts: dict[str, Any], **other: Any) -> bytes:
    own = {"version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "**Firing**"}
    return alertmanager(
        *(each | {"values": {"B": 2.4}, "silenceURL": "", "valueString": ""} for each in alerts), **(own | other)
    )


def test_a_delivery_of_alertmanager_is_read_with_its_times_in_utc() -> None:
    ended = alert(status="resolved", fingerprint="f2", endsAt="2026-11-25T08:10:00Z")
    first, second = deliveries(alertmanager(alert(), ended), "application/json; charset=utf-8")
    assert first.name == "BookingSlow"
    assert first.identity == (
        "9f86d081884c7d65", datetime(2026, 11, 25, 8, 0, 0, 123457, tzinfo=UTC), AlertStatus.FIRING,
    )  # fmt: skip
    assert (first.ends_at, first.source, first.annotations) == (None, "alertmanager", {"summary": "느립니다"})
    assert (second.status, second.ends_at) == (AlertStatus.RESOLVED, datetime(2026, 11, 25, 8, 10, tzinfo=UTC))


def test_a_delivery_of_grafana_is_recognised_by_its_fields() -> None:
    (found,) = deliveries(grafana(alert()))
    assert (found.source, found.name) == ("grafana", "BookingSlow")


def test_annotations_and_the_end_may_be_missing() -> None:
    (found,) = deliveries(alertmanager(alert(annotations=..., endsAt=...)))
    assert (dict(found.annotations), found.ends_at) == ({}, None)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON"),
        (b'{"alerts": [', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"version":"4","alerts":[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'"text"', "Expected `object`"),
        (alertmanager(alert(), version="5"), "version is '5'; of Alertmanager, '4' is understood"),
        (alertmanager(alert(), version=...), "missing required field `version`"),
        (alertmanager(alert(), version=4), r"got `int` - at `\$.version`"),
        (grafana(alert(), version="4"), "version is '4'; of Grafana, '1' is understood"),
        (alertmanager(), "holds no alert"),
        (alertmanager(alerts=...), "missing required field `alerts`"),
        (alertmanager(alert(), alert(fingerprint=...)), r"missing required field `fingerprint` - at `\$.alerts\[1\]`"),
        (alertmanager(alert(fingerprint="")), r"\$.alerts\[0\].fingerprint is ''"),
        (alertmanager(alert(fingerprint="f" * 129)), r"fingerprint is 'f{80}'; expected"),
        (alertmanager(alert(startsAt=...)), "missing required field `startsAt`"),
        (alertmanager(alert(startsAt=NEVER)), r"\$.alerts\[0\].startsAt is 0001-01-01"),
        (alertmanager(alert(startsAt="yesterday")), "Invalid RFC3339"),
        (alertmanager(alert(startsAt="2026-11-25T17:00:00")), "without a time zone"),
        (alertmanager(alert(endsAt="9999-12-31T23:59:59-10:00")), "expected a time that a calendar has"),
        (alertmanager(alert(status="pending")), "Invalid enum value 'pending'"),
        (alertmanager(alert(labels={"a": 1})), r"Expected `str`, got `int` - at `\$.alerts\[0\].labels\[...\]`"),
        (alertmanager(alert(labels={f"l{n}": "" for n in range(65)})), f"holds 65 entries; the most is {MOST_LABELS}"),
        (alertmanager(alert(labels={"a": "x" * 4097})), "has 4097 characters under 'a'"),
        (alertmanager(alert(labels={"": "x"})), "a name has 1 to 256 characters"),
        (alertmanager(alert(labels={"a": "x\0"})), "a NUL character under 'a'"),
        (alertmanager(alert(annotations={"a\0": "x"})), r"annotations has a NUL character"),
        (alertmanager(alert(annotations={"a": "x" * 65_537})), "a value up to 65536"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        deliveries(body)


def test_the_largest_allowed_alert_is_taken() -> None:
    labels = {f"l{n}": "" for n in range(MOST_LABELS - 1)} | {"n" * 256: "x" * 4096}
    (found,) = deliveries(alertmanager(alert(labels=labels, fingerprint="f" * 128)))
    assert found.labels == labels


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json", True),
        ("Application/JSON;charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/json; charset=euc-kr", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_json_is_told_by_the_content_type(content_type: str, taken: bool) -> None:
    assert is_json(content_type) is taken
    if not taken:
        with pytest.raises(InvalidRequest, match="The content type is"):
            deliveries(alertmanager(alert()), content_type)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_at_all_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        deliveries(body)


@given(st.fixed_dictionaries({}, optional={
    "status": JSON, "labels": st.dictionaries(st.text(), st.text()) | JSON, "annotations": JSON,
    "startsAt": JSON | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    "endsAt": JSON | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()), "fingerprint": JSON,
}))  # fmt: skip
def test_any_alert_is_read_with_aware_times_or_refused(changes: dict[str, Any]) -> None:
    try:
        (found,) = deliveries(alertmanager(alert(**changes)))
    except InvalidRequest:
        return
    assert found.starts_at.tzinfo is UTC
    assert found.ends_at is None or found.ends_at.tzinfo is UTC
