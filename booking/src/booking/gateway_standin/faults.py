"""How the stand-in misbehaves, on demand."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Faults(BaseModel):
    """What goes wrong, with which share of the payments.

    slow: the answer takes delay_ms. fail: 500, nothing charged. silent: charged, the connection is closed.
    late: charged, the answer takes delay_ms (5 s unless told). twice: answered, and notified twice.
    """

    model_config = ConfigDict(extra="forbid")

    mode: Literal["none", "slow", "fail", "twice", "late", "silent"] = "none"
    share: float = Field(default=1.0, ge=0, le=1)
    delay_ms: int = Field(default=0, ge=0, le=60_000)
    notify_url: str = ""

    def delay_seconds(self) -> float:
        """Return how long the answer takes."""
        if self.mode == "late":
            return (self.delay_ms or 5000) / 1000
        return self.delay_ms / 1000 if self.mode == "slow" else 0.0
