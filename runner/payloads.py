"""Read what Alertmanager and Grafana send (pure)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from runner.errors import InvalidRequest
from runner.model import Alert, AlertStatus

JSON = "application/json"
MOST_LABELS = 64  # of one alert; the same for annotations
LONGEST_NAME = 256  # characters
LONGEST_LABEL = 4096
LONGEST_ANNOTATION = 65_536
LONGEST_FINGERPRINT = 128
_NEVER = 1  # the year in which both senders put what has not happened
_ADVICE = "send Alertmanager's webhook version 4 or Grafana's alert webhook"


class _Alert(msgspec.Struct, rename="camel"):
    status: AlertStatus
    labels: dict[str, str]
    starts_at: datetime
    fingerprint: str
    annotations: dict[str, str] = {}
    ends_at: datetime | None = None


class _Delivery(msgspec.Struct, rename="camel"):
    alerts: list[_Alert]
    version: str
    org_id: int | None = None  # only Grafana has organisations


_DECODER = msgspec.json.Decoder(_Delivery)


def is_json(content_type: str) -> bool:
    """Say whether a Content-Type header names JSON, in UTF-8 where it names a character set."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")]
    return kind == JSON and all(each in {"utf-8", "utf8"} for each in charsets)


def deliveries(body: bytes, content_type: str = JSON) -> tuple[Alert, ...]:
    """Return the alerts of one delivery, one or more, in their order.

    Understood: Alertmanager's webhook, version 4, and Grafana's, version 1 with an `orgId`. Unknown fields are passed
    over. Raises InvalidRequest, a sentence that names the place; then no alert of the delivery counts.
    """
    if not is_json(content_type):
        raise InvalidRequest(f"The content type is {content_type[:80]!r}; {_ADVICE}, as {JSON}.")
    try:
        delivery = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The delivery is not understood: {error}; {_ADVICE}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON ({error}); {_ADVICE}.") from error
    source = _source(delivery)
    if not delivery.alerts:
        raise InvalidRequest(f"The delivery holds no alert; {_ADVICE}, with at least one.")
    return tuple(_alert(each, f"$.alerts[{index}]", source) for index, each in enumerate(delivery.alerts))


def _source(delivery: _Delivery) -> str:
    expected = "4" if delivery.org_id is None else "1"
    if delivery.version != expected:
        sender = "Alertmanager" if delivery.org_id is None else "Grafana"
        raise InvalidRequest(f"The version is {delivery.version[:20]!r}; of {sender}, {expected!r} is understood.")
    return "alertmanager" if delivery.org_id is None else "grafana"


def _alert(given: _Alert, place: str, source: str) -> Alert:
    if not given.fingerprint or len(given.fingerprint) > LONGEST_FINGERPRINT or "\0" in given.fingerprint:
        raise InvalidRequest(f"{place}.fingerprint is {given.fingerprint[:80]!r}; expected what the sender made of it.")
    _check_texts(given.labels, f"{place}.labels", LONGEST_LABEL)
    _check_texts(given.annotations, f"{place}.annotations", LONGEST_ANNOTATION)
    starts_at = _moment(given.starts_at, f"{place}.startsAt")
    if starts_at is None:
        raise InvalidRequest(f"{place}.startsAt is {given.starts_at.isoformat()}; expected when the alert began.")
    return Alert(
        fingerprint=given.fingerprint,
        status=given.status,
        labels=given.labels,
        annotations=given.annotations,
        starts_at=starts_at,
        ends_at=_moment(given.ends_at, f"{place}.endsAt"),
        source=source,
    )


def _check_texts(texts: dict[str, str], place: str, longest: int) -> None:
    if len(texts) > MOST_LABELS:
        raise InvalidRequest(f"{place} holds {len(texts)} entries; the most is {MOST_LABELS}.")
    for name, text in texts.items():
        if not name or len(name) > LONGEST_NAME or len(text) > longest:
            limits = f"a name has 1 to {LONGEST_NAME} characters, a value up to {longest}"
            raise InvalidRequest(f"{place} has {len(text)} characters under {name[:80]!r}; {limits}.")
        if "\0" in name or "\0" in text:
            raise InvalidRequest(f"{place} has a NUL character under {name[:80]!r}; send text.")


def _moment(given: datetime | None, place: str) -> datetime | None:
    if given is None or given.year == _NEVER:
        return None
    if given.tzinfo is None:
        raise InvalidRequest(f"{place} is {given.isoformat()}, without a time zone; expected RFC 3339.")
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise InvalidRequest(f"{place} is {given.isoformat()}; expected a time that a calendar has.") from error
