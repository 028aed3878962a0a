"""What a drill must show, each demand met and missed once."""

from __future__ import annotations

from typing import Any

import pytest

from lab.drills import judge, rows

DARK, SYNCHRONOUS, WAS = (rows.named(name) for name in ("colo-dark", "colo-dark-synchronous", "was-dies"))


def shown(**changes: Any) -> dict[str, Any]:
    audit = dict.fromkeys(("missing", *judge.ALWAYS_ZERO), 0) | {"confirmed": 300}
    return {
        "audit": audit | changes.pop("audit", {}),
        "sold_again": True,
        "rto_s": 8.0,
        "rpo_bookings": 0,
        "sold_twice": 0,
        "writer_rows_lost": 0,
        "both_sites_wrote_ms": 0.0,
        "stopped_before_lease_ended_s": 11.2,
        "failback": None,
        "purchases": {"gave_up": 0},
    } | changes


@pytest.mark.parametrize("row", rows.ROWS, ids=[row.name for row in rows.ROWS])
def test_a_clean_drill_has_nothing_against_it(row: rows.Row) -> None:
    assert judge.faults(row, shown()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"audit": {"confirmed": 0}}, "Nobody bought a ticket, so nothing is proven."),
        ({"sold_again": False}, "Nobody bought a ticket any more after it had happened."),
        ({"rto_s": 10.2}, "Nobody could buy for 10.2 s; the deadline is 10 s."),
        ({"purchases": {"gave_up": 3}}, "3 customers gave up."),
        ({"audit": {"sold_twice": 1}, "sold_twice": 1}, "Audit: 1 sold twice."),
        ({"sold_twice": 2}, "2 seats were sold twice while the cloud led; no return lists them."),
        ({"audit": {"unsettled": 4}}, "Audit: 4 unsettled."),
        ({"rpo_bookings": 2}, "2 confirmed bookings are missing; none may be."),
        ({"audit": {"missing": 5}}, "5 confirmed bookings are missing; none may be."),
        ({"writer_rows_lost": 7}, "7 rows that were acknowledged are missing; none may be."),
        ({"both_sites_wrote_ms": 120.4}, "Both sites acknowledged rows for 120 ms."),
        (
            {"stopped_before_lease_ended_s": -0.9},
            "The old leader acknowledged a row 0.9 s after its lease had lapsed.",
        ),
    ],
)
def test_each_demand_that_is_missed_is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert judge.faults(WAS, shown(**changes)) == [sentence]


def test_what_was_not_measured_is_not_held_against_anybody() -> None:
    assert judge.faults(WAS, shown(both_sites_wrote_ms=None, stopped_before_lease_ended_s=None)) == []


def test_a_standby_may_lack_what_the_return_lists() -> None:
    lost = {"rpo_bookings": 3, "writer_rows_lost": 20, "audit": {"missing": 1}}
    assert judge.faults(DARK, shown(**lost, failback={"only_on_old_side": 3, "conflicts": 0})) == []
    assert judge.faults(DARK, shown(**lost, failback={"only_on_old_side": 2, "conflicts": 0})) == [
        "The return lists 2 bookings of the colo alone; the audit at the cloud missed 3."
    ]


@pytest.mark.parametrize(
    ("lost", "conflicts", "told"),
    [(3, 1, False), (3, 0, True), (0, 1, True)],
    ids=["listed", "not listed", "none lost"],
)
def test_a_lost_seat_may_be_sold_again_where_the_return_lists_it(lost: int, conflicts: int, told: bool) -> None:
    result = shown(sold_twice=2, rpo_bookings=lost, failback={"only_on_old_side": 3, "conflicts": conflicts})

    assert bool(judge.faults(DARK, result)) is told


def test_a_synchronous_replica_lacks_nothing() -> None:
    assert judge.faults(SYNCHRONOUS, shown(rpo_bookings=1, failback={"only_on_old_side": 1, "conflicts": 0})) == [
        "1 confirmed bookings are missing; none may be."
    ]
