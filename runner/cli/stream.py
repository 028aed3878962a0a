"""Read server-sent events (pure). Source: WHATWG HTML, section 9.2.6."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its data as it came, and read (None when the data is not JSON)."""

    name: str
    text: str
    data: Any


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Return the events of a stream's lines; comments and events without data are passed over, half ones dropped."""
    name, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield _event(name, "\n".join(data))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _event(name: str, text: str) -> Event:
    try:
        return Event(name, text, json.loads(text))
    except json.JSONDecodeError:
        return Event(name, text, None)
