"""Draw what customers met as pictures of a page (pure)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

_BESIDE: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5), "fontsize": 8}


def crowd(seconds: Sequence[Mapping[str, Any]], marks: Mapping[int, float]) -> str:
    """Draw requests and latency, second by second, as SVG; `marks` are numbered moments on the same clock."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    _demand(upper, seconds)
    _latency(lower, seconds)
    _mark((upper, lower), marks)
    lower.set_xlabel("seconds since the crowd came")
    return _svg(figure)


def surge(
    seconds: Sequence[Mapping[str, Any]], servers: Sequence[tuple[float, int]], marks: Mapping[int, float]
) -> str:
    """Draw demand, latency and servers over time as SVG, with what servers kept for the peak would be beside it."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    upper, middle, lower = figure.subplots(3, sharex=True)
    _demand(upper, seconds)
    _latency(middle, seconds)
    at, counts = [when for when, _ in servers], [count for _, count in servers]
    peak = max(counts, default=0)
    lower.fill_between(at, counts, step="post", color="#8ab4d8", label="servers that serve: what is paid")
    lower.fill_between(
        at, counts, [peak] * len(at), step="post", color="#f3d9a4", label="saved against servers kept for the peak"
    )
    lower.set_ylim(0, peak + 1)
    lower.legend(**_BESIDE)
    _mark((upper, middle, lower), marks)
    lower.set_xlabel("seconds since the crowd came")
    return _svg(figure)


def outage(seconds: Sequence[Mapping[str, Any]], began_s: float, ended_s: float, marks: Mapping[str, float]) -> str:
    """Draw bookings per second as SVG, with the time in which nobody could buy shaded and named moments marked."""
    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.subplots()
    at = [each["at_s"] for each in seconds]
    axes.plot(at, [each["confirmed"] for each in seconds], color="#1b7f3b", label="bookings confirmed per second")
    axes.axvspan(began_s, ended_s, color="#f3c6c0", label=f"nobody could buy: {ended_s - began_s:.0f} s (RTO)")
    for name, when in marks.items():
        axes.axvline(when, color="#666666", linewidth=0.8)
        axes.annotate(name, (when, 1), xycoords=("data", "axes fraction"), fontsize=8, va="bottom", ha="center")
    axes.legend(**_BESIDE)
    axes.set_xlabel("seconds since the crowd came")
    return _svg(figure)


def _demand(axes: Axes, seconds: Sequence[Mapping[str, Any]]) -> None:
    at = [each["at_s"] for each in seconds]
    axes.fill_between(at, [each["requests"] for each in seconds], color="#8ab4d8", label="requests per second")
    axes.plot(at, [each["confirmed"] for each in seconds], color="#1b7f3b", label="bookings confirmed per second")
    axes.plot(at, [each["failed"] for each in seconds], color="#c0392b", label="failed requests per second")
    axes.legend(**_BESIDE)


def _latency(axes: Axes, seconds: Sequence[Mapping[str, Any]]) -> None:
    at = [each["at_s"] for each in seconds]
    axes.plot(at, [each.get("p99_ms") or 0 for each in seconds], color="#444444", label="p99, milliseconds")
    axes.legend(**_BESIDE)


def _mark(panels: Sequence[Axes], marks: Mapping[int, float]) -> None:
    """Draw the moments that lie within the picture, with their numbers above it."""
    first, last = panels[0].get_xlim()
    for number, when in marks.items():
        if first < when < last:
            for axes in panels:
                axes.axvline(when, color="#e08e0b", linewidth=1)
            panels[0].annotate(str(number), (when, 1), xycoords=("data", "axes fraction"), va="bottom", ha="center")


def _svg(figure: Figure) -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]
