"""How long a request may still take."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the moment that many seconds from now."""
        return cls(monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, 0 when the moment has passed."""
        return max(0.0, self.at - monotonic())
