"""Customers of the tests, and what must be true of them afterwards whatever was broken meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from lab import crowd, faults
from tests.acceptance.conftest import ROOT

ARRIVALS = 6  # customers per second


class Crowd:
    """Customers who buy in the background while a test breaks something."""

    def __init__(
        self, site: faults.Lab, name: str, seconds: int, options: Sequence[str] = (), arrivals: float = ARRIVALS
    ) -> None:
        self.site, self.run = site, f"{name}-{time.strftime('%H%M%S')}"
        words = ["--arrivals", f"{arrivals:g}", "--duration", str(seconds), *options]
        self.process = crowd.start(site, self.run, words)

    def end(self, settle_seconds: int = 60) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        """Wait until the last customer has gone; return their report, their journal and the audit."""
        shopping = crowd.finish(self.site, self.run, self.process)
        lines = [json.loads(line) for line in shopping.journal.splitlines()]
        audit = crowd.audit(self.site, shopping.journal, settle_seconds=settle_seconds)
        keep(self.run, shopping.report, audit)
        return shopping.report, lines, audit


def keep(name: str, report: dict[str, Any], audit: dict[str, Any]) -> None:
    """Keep what was measured beside the other reports."""
    folder = ROOT / "reports/show"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"report": report, "audit": audit}, indent=1), encoding="utf-8")


def clean(audit: dict[str, Any]) -> None:
    """Demand that nothing was lost, sold twice, or paid for nothing."""
    faulty = {key: value for key, value in audit.items() if key not in {"confirmed", "findings"} and value}
    assert not faulty, (faulty, audit["findings"][:5])


def nobody_was_let_down(report: dict[str, Any]) -> None:
    """Demand that every request got a proper answer and every customer an end to the purchase."""
    assert report["requests"]["failed"] == 0, report["failures"]
    assert report["purchases"]["gave_up"] == 0, report["purchases"]
    assert report["purchases"]["confirmed"] > 0
