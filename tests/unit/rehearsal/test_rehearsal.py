"""When a rehearsal has to stop, and what is said of one that ended."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.rehearsal import live_alarms, rehearsal_result, right_of_way

SERVER = "cloud-rehearsal1"
HERE = {"throwaway_began": 1000, "throwaway_seconds": 110}
SOLD = {
    "throwaway_reached": 1020,
    "rehearsal_restored": 1060,
    "rehearsal_led": 1063,
    "rehearsal_sold": 1075,
    "backup_leading": {"timeline": 2, "newest_booking_age_s": 12.5},
}


def alert(name: str, severity: str = "critical", state: str = "active", **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "severity": severity, **labels},
        "annotations": {"summary": "Something is wrong."},
        "status": {"state": state},
    }


def watcher(*alarms: str, unknown: str | None = "") -> dict[str, Any]:
    return {"monitoring_alarms": list(alarms), "monitoring_alarms_unknown": unknown}


def test_critical_alerts_are_named_once_with_their_place() -> None:
    found = live_alarms(
        [alert("SiteDark", site="colo"), alert("SiteDark", site="colo"), alert("HostDown", instance="a")]
    )
    assert found == ["HostDown at a (Something is wrong)", "SiteDark at colo (Something is wrong)"]


@pytest.mark.parametrize(
    "other",
    [alert("BookingCrowded", "warning"), alert("Watchdog", "none"), alert("SiteDark", state="suppressed")],
    ids=["warning", "heartbeat", "silenced"],
)
def test_other_alerts_stop_nothing(other: dict[str, Any]) -> None:
    assert live_alarms([other]) == []


def test_a_rehearsal_goes_on_while_nothing_fires() -> None:
    assert right_of_way([watcher()]) == ""


def test_one_watcher_that_answered_is_enough() -> None:
    assert right_of_way([watcher(unknown="it was not reached"), watcher()]) == ""


def test_an_alarm_has_the_right_of_way() -> None:
    assert right_of_way([watcher(), watcher("SiteDark at colo")]) == (
        "An alarm is live, and has the right of way: SiteDark at colo"
    )


@pytest.mark.parametrize(
    ("watchers", "why"),
    [
        ([], "no host of ops:&cloud was asked"),
        ([{"inventory_hostname": "cloud-ops1"}], "no host of ops:&cloud was asked"),
        ([watcher(unknown="cloud-ops1: timed out")], "cloud-ops1: timed out"),
    ],
    ids=["nobody", "not asked", "silent"],
)
def test_silence_is_not_taken_for_peace(watchers: list[dict[str, Any]], why: str) -> None:
    assert right_of_way(watchers) == f"Nobody knows whether an alarm is live: {why}"


def test_a_rehearsal_that_sold_a_ticket_tells_the_seconds_until_each_moment() -> None:
    assert rehearsal_result(HERE, SOLD, SERVER) == {
        "ok": True, "stopped": False, "reason": "", "seconds": 110,
        "host_s": 20, "restored_s": 60, "leading_s": 63, "ticket_s": 75, "newest_booking_age_s": 12.5,
    }  # fmt: skip


def test_one_that_failed_tells_what_it_reached_and_why_no_more() -> None:
    told = rehearsal_result(HERE, {"throwaway_reached": 1020, "throwaway_fault": "Restore: object missing."}, SERVER)
    assert told == {"ok": False, "stopped": False, "reason": "Restore: object missing.", "seconds": 110, "host_s": 20}


@pytest.mark.parametrize("here", [True, False], ids=["before", "between"])
def test_one_that_an_alarm_ended_is_stopped_and_not_failed(here: bool) -> None:
    fault = {"throwaway_fault": f"Refuse: {right_of_way([watcher('SiteDark at colo')])}"}
    told = rehearsal_result(HERE | (fault if here else {}), {} if here else fault, SERVER)
    assert (told["ok"], told["stopped"]) == (False, True)
    assert told["reason"].endswith("right of way: SiteDark at colo.")


def test_what_is_left_is_a_failure_whatever_else_happened() -> None:
    left = {"throwaway_left": "Cloud lab still lists server cloud-rehearsal1."}
    assert not rehearsal_result(HERE | left, SOLD, SERVER)["ok"]
    stopped = rehearsal_result(HERE | left | {"throwaway_fault": right_of_way([])}, {}, SERVER)
    assert not stopped["stopped"]
    assert "still lists server cloud-rehearsal1." in stopped["reason"]


@pytest.mark.parametrize("there", [{}, {"throwaway_reached": 1020}], ids=["no server", "lost on the way"])
def test_a_server_that_says_nothing_is_no_success(there: dict[str, Any]) -> None:
    told = rehearsal_result(HERE, there, SERVER)
    assert not told["ok"]
    assert told["reason"] == f"{SERVER} could not be reached, or was lost on the way."
