"""The kept figures, and the page that is written from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.drills import figures, rows

DARK = rows.named("colo-dark")


def result(**changes: Any) -> dict[str, Any]:
    facts = {
        "row": "colo-dark", "tier": "standby", "deadline_seconds": 60, "rto_s": 27.04, "rpo_s": 0.5, "rpo_bookings": 2,
        "sold_twice": 0, "both_sites_wrote_ms": 0.0, "stopped_before_lease_ended_s": 19.4, "writer_rows_lost": 1,
        "failback": {"seconds": 70.0, "longest_wait_s": 2.1, "only_on_old_side": 2, "conflicts": 0}, "verdict": "met",
        "audit": {"confirmed": 300},
    }  # fmt: skip
    return facts | changes


def line(page: str, name: str) -> str:
    return next(each for each in page.splitlines() if f"| `{name}` |" in each)


def test_runs_are_kept_by_row_without_what_the_page_does_not_need(tmp_path: Path) -> None:
    file = tmp_path / "measurements/drills.json"
    for each in (result(), result(rto_s=31.0), result(row="was-dies")):
        figures.keep(each, file)
    kept = figures.load(file)
    assert [run["rto_s"] for run in kept["colo-dark"]] == [27.04, 31.0]
    assert len(kept["was-dies"]) == 1
    assert "audit" not in kept["was-dies"][0]


def test_old_runs_make_room(tmp_path: Path) -> None:
    file = tmp_path / "drills.json"
    for number in range(figures.RUNS + 1):
        figures.keep(result(rto_s=float(number)), file)
    assert [run["rto_s"] for run in figures.load(file)["colo-dark"]] == [float(n) for n in range(1, figures.RUNS + 1)]


def test_nothing_kept_is_no_error_and_no_figure(tmp_path: Path) -> None:
    page = figures.page(figures.load(tmp_path / "none.json"))
    assert line(page, "colo-dark").endswith("| 0 | not run yet |")
    assert "The return" not in page


def test_the_page_shows_medians_runs_and_the_verdict() -> None:
    runs = [result(), result(rto_s=30.0, rpo_bookings=0, rpo_s=0.0), result(rto_s=90.0, verdict="missed")]
    told = line(figures.page({"colo-dark": runs}), "colo-dark")
    assert told == (
        "| colo dark | `colo-dark` | standby | fail_over_to_cloud | 60 s | 30.0 s | 2 (0.5 s) | 0 | 0 ms | 19.4 s | 3 "
        "| missed in 1 of 3 |"
    )


def test_what_was_not_measured_stays_empty() -> None:
    runs = [result(both_sites_wrote_ms=None, stopped_before_lease_ended_s=None)]
    assert "| 0 | | | 1 | met |" in line(figures.page({"colo-dark": runs}), "colo-dark")


def test_the_return_has_a_table_of_its_own() -> None:
    page = figures.page({"colo-dark": [result()]}).partition("## The return")[2]
    assert line(page, "colo-dark") == "| `colo-dark` | 70.0 s | 2.1 s | 2 | 0 | 1 |"


def test_rows_of_the_matrix_without_a_drill_are_named_too() -> None:
    page = figures.page({})
    assert all(title in page for title in rows.WITHOUT_A_DRILL)


def test_all_rows_of_the_table_have_all_columns() -> None:
    table = [each for each in figures.page({}).splitlines() if each.startswith("|")]
    assert {each.count("|") for each in table} == {len(figures.COLUMNS) + 1}
