"""The ticket-booking application that Understudy keeps on."""

from __future__ import annotations

__version__ = "0.1.0"
