"""Keep the figures of drills over their runs, and write the page of the failure matrix from them.

The file is read and written by its path; everything else here is pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.building import PROJECT
from lab.drills import measure, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lab.drills.rows import Row

FILE = PROJECT / "docs/measurements/drills.json"
RUNS = 50  # that are kept of a row
KEPT = (
    "began", "tier", "deadline_seconds", "rto_s", "rpo_s", "rpo_bookings", "sold_twice", "both_sites_wrote_ms",
    "stopped_before_lease_ended_s", "writer_rows_lost", "failback", "verdict",
)  # fmt: skip
NOT_RUN = "not run yet"
HEAD = """# The failure matrix

Generated from `docs/measurements/drills.json` by `make docs`; a test fails when this page is stale. The figures are
medians of the kept runs ([how to run and keep one](how-to/run-a-drill.md)), measured by customers who buy through both
edges all the while, three a second, on the lab: one machine that plays all the sites. A verdict counts every kept run.
They wait for as long as the deadline and a minute more: customers who leave after a minute would have left in every row
whose "no tickets" is above 60 s.

- **no tickets**: the longest time in which no purchase was confirmed, from the event on.
- **lost**: confirmed bookings that the serving database did not have, and the seconds that they span. What the colo
  alone had is listed and settled by the return.
- **both wrote**: how long both sites acknowledged rows at once; a writer on each database host, a row each 50 ms.
- **fence**: how long before its lease ended the old leader acknowledged its last row.
"""
COLUMNS = (
    "what fails",
    "drill",
    "tier",
    "run then",
    "deadline",
    "no tickets",
    "lost",
    "sold twice",
    "both wrote",
    "fence",
    "runs",
    "verdict",
)

Runs = dict[str, list[dict[str, Any]]]


def load(file: Path = FILE) -> Runs:
    """Return the kept runs by row; none when nothing was kept yet."""
    if not file.exists():
        return {}
    kept: Runs = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return kept


def keep(result: Mapping[str, Any], file: Path = FILE) -> None:
    """Add a run to those that are kept."""
    kept = load(file)
    runs = [*kept.get(result["row"], []), {key: result.get(key) for key in KEPT}]
    kept[result["row"]] = runs[-RUNS:]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"rows": dict(sorted(kept.items()))}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def page(kept: Runs, catalogue: Sequence[Row] = rows.ROWS) -> str:
    """Write the page."""
    lines = [_line(row, kept.get(row.name, [])) for row in catalogue]
    lines += [
        "| " + " | ".join([title, "none", *[""] * 9, f"no drill; {where}"]).replace("|  |", "| |") + " |"
        for title, where in rows.WITHOUT_A_DRILL.items()
    ]
    returns = [
        _return(row, runs)
        for row in catalogue
        if (runs := [each for each in kept.get(row.name, []) if each.get("failback")])
    ]
    table = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *(_tight(line) for line in lines)]
    more = ["", "## The return", "", *_RETURN_HEAD, *returns] if returns else []
    return HEAD + "\n" + "\n".join([*table, *more]) + "\n"


_RETURN_HEAD = (
    "`playbooks/fail_back_to_colo.yml` after these drills, under the same crowd. The longest wait is for one answer on",
    "the way to a booking, with every new try; the first runs did not measure it.",
    "",
    "| drill | it took | longest wait of a purchase | bookings of the colo alone | sold again | runs |",
    "|---|---|---|---|---|---|",
)


def _line(row: Row, runs: Sequence[Mapping[str, Any]]) -> str:
    cells = [row.title, f"`{row.name}`", row.tier or "any", row.then, f"{row.deadline_seconds:g} s"]
    if not runs:
        return f"| {' | '.join([*cells, *[''] * 5, '0', NOT_RUN])} |"
    cells += [
        _figure(runs, "rto_s", "s"),
        f"{_figure(runs, 'rpo_bookings', '')} ({_figure(runs, 'rpo_s', 's')})",
        _figure(runs, "sold_twice", ""),
        _figure(runs, "both_sites_wrote_ms", "ms"),
        _figure(runs, "stopped_before_lease_ended_s", "s"),
        str(len(runs)),
        verdict(runs),
    ]
    return f"| {' | '.join(cells)} |"


def verdict(runs: Sequence[Mapping[str, Any]]) -> str:
    """Say whether every run met its demands (pure)."""
    missed = sum(run["verdict"] != "met" for run in runs)
    return "met" if not missed else f"missed in {missed} of {len(runs)}"


def _return(row: Row, runs: Sequence[Mapping[str, Any]]) -> str:
    returns = [run["failback"] for run in runs]
    cells = [
        _figure(returns, "seconds", "s"),
        _figure(returns, "longest_wait_s", "s"),
        _figure(returns, "only_on_old_side", ""),
        _figure(returns, "conflicts", ""),
    ]
    return f"| `{row.name}` | {' | '.join(cells)} | {len(runs)} |"


def _figure(runs: Sequence[Mapping[str, Any]], key: str, unit: str) -> str:
    """Return the median of a figure with its unit; of one that no run measured nothing."""
    value = measure.middle(run.get(key) for run in runs)
    if value is None:
        return ""
    return f"{value:.1f} {unit}" if unit == "s" else f"{value:.0f} {unit}".strip()


def _tight(line: str) -> str:
    """Write empty cells as the linters of Markdown want them."""
    while "|  |" in line:
        line = line.replace("|  |", "| |")
    return line
