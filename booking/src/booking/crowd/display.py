"""Tell the person at the terminal how the crowd is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.table import Table

from booking.crowd.tally import Outcome, Sample, percentile

if TYPE_CHECKING:
    from booking.crowd.tally import Tally


def progress(tally: Tally, inside: int, at_seconds: float, span_seconds: float) -> str:
    """Return one line about the last seconds and the run so far."""
    seconds = range(max(0, int(at_seconds - span_seconds)), int(at_seconds))
    samples = [tally.seconds.get(second, Sample()) for second in seconds]
    latencies = [latency for sample in samples for latency in sample.latencies]
    per_second = sum(sample.total for sample in samples) / max(1, len(samples))
    return (
        f"{at_seconds:5.0f} s  customers {tally.started:6d} ({inside} inside)"
        f"  confirmed {tally.outcomes[Outcome.CONFIRMED]:6d}"
        f"  requests/s {per_second:6.1f}  p99 {percentile(latencies, 0.99):5.0f} ms"
        f"  retried {tally.retried}  waited {tally.waited}  failed {tally.failed}"
    )


def summary(report: dict[str, Any]) -> Table:
    """Return the report as a table of one screen."""
    table = Table(box=SIMPLE, show_header=False, title="The crowd", title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    requests, crowd = report["requests"], report["crowd"]
    table.add_row("requests", _pairs(requests, ("total", "failed", "retried", "waited")))
    table.add_row("milliseconds", _pairs(requests, ("p50_ms", "p90_ms", "p99_ms")))
    table.add_row("statuses", _pairs(requests["by_status"]))
    table.add_row("holds", _pairs(report["holds"]))
    table.add_row("purchases", _pairs(report["purchases"]))
    table.add_row("edges", _pairs(report["edges"]))
    table.add_row("servers", _pairs(report["servers"]))
    table.add_row("crowd", _pairs(crowd, ("duration_s", "cpu_s", "late_s")))
    for failure in report["failures"][:5]:
        table.add_row("failure", f"{failure['at_s']} s, {failure['kind']}: {failure['why']}"[:300])
    return table


def _pairs(counts: dict[str, Any], names: tuple[str, ...] | None = None) -> str:
    return "  ".join(f"{name} {counts[name]}" for name in names or counts) or "none"
