"""Time zones by name (pure)."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def zone(value: object) -> ZoneInfo:
    """Return the time zone of a name such as Asia/Seoul. Raises ValueError that says what was expected."""
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("expected a time zone such as Asia/Seoul") from error
