"""Say what a drill showed that it must not (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.drills.rows import Row

ALWAYS_ZERO = ("sold_twice", "paid_without_booking", "booked_without_payment", "unsettled")


def faults(row: Row, result: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each demand that was not met; none is the good verdict."""
    return [*_selling(row, result), *_lost(row, result), *_writing(result)]


def _selling(row: Row, result: Mapping[str, Any]) -> list[str]:
    told = []
    if not result["audit"]["confirmed"]:
        told.append("Nobody bought a ticket, so nothing is proven.")
    if not result["sold_again"]:
        told.append("Nobody bought a ticket any more after it had happened.")
    if result["rto_s"] > row.deadline_seconds:
        told.append(f"Nobody could buy for {result['rto_s']:.1f} s; the deadline is {row.deadline_seconds:g} s.")
    if result["purchases"].get("gave_up"):
        told.append(f"{result['purchases']['gave_up']} customers gave up.")
    return told


def _lost(row: Row, result: Mapping[str, Any]) -> list[str]:
    audit, lost = result["audit"], result["rpo_bookings"]
    told = [f"Audit: {audit[key]} {key.replace('_', ' ')}." for key in ALWAYS_ZERO if audit[key]]
    back = result["failback"] or {}
    listed = not row.loses_nothing and lost and back.get("conflicts")
    if result["sold_twice"] and not audit["sold_twice"] and not listed:
        told.append(f"{result['sold_twice']} seats were sold twice while the cloud led; no return lists them.")
    if row.loses_nothing:
        if lost or audit["missing"]:
            told.append(f"{lost or audit['missing']} confirmed bookings are missing; none may be.")
        if result["writer_rows_lost"]:
            told.append(f"{result['writer_rows_lost']} rows that were acknowledged are missing; none may be.")
    elif back and (found := back["only_on_old_side"]) < lost:
        told.append(f"The return lists {found} bookings of the colo alone; the audit at the cloud missed {lost}.")
    return told


def _writing(result: Mapping[str, Any]) -> list[str]:
    told = []
    if result["both_sites_wrote_ms"]:
        told.append(f"Both sites acknowledged rows for {result['both_sites_wrote_ms']:.0f} ms.")
    early = result["stopped_before_lease_ended_s"]
    if early is not None and early < 0:
        told.append(f"The old leader acknowledged a row {-early:.1f} s after its lease had lapsed.")
    return told
