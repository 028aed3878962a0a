"""Say whether a rehearsal of a failover may go on, and what came of it (pure).

Alertmanager's answers (API v2, GET /api/v2/alerts) and facts of hosts in, sentences and figures out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Host = Mapping[str, Any]

SEVERITY = "critical"
LIVE, UNKNOWN = "An alarm is live, and has the right of way", "Nobody knows whether an alarm is live"
# The moments of a rehearsal, in their order: the figure, and the fact of the throwaway server that says when.
MOMENTS = {
    "host_s": "throwaway_reached",
    "restored_s": "rehearsal_restored",
    "leading_s": "rehearsal_led",
    "ticket_s": "rehearsal_sold",
}


def live_alarms(alerts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the critical alerts that fire, neither silenced nor inhibited: name, place, and what they say."""
    found = {
        _named(alert["labels"], alert.get("annotations", {}))
        for alert in alerts
        if alert["labels"].get("severity") == SEVERITY and alert.get("status", {}).get("state", "active") == "active"
    }
    return sorted(found)


def _named(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    place = labels.get("instance") or labels.get("site")
    said = annotations.get("summary", "").rstrip(".")
    return f"{labels['alertname']}{f' at {place}' if place else ''}{f' ({said})' if said else ''}"


def right_of_way(watchers: Iterable[Host]) -> str:
    """Say why a rehearsal must not go on; nothing when it may.

    `watchers`: variables of the hosts that were asked, with the facts of role monitoring, entry point alarms. One that
    answered is enough; where none did, silence is not taken for peace.
    """
    asked = [host for host in watchers if host.get("monitoring_alarms_unknown") is not None]
    if alarms := sorted({alarm for host in asked for alarm in host["monitoring_alarms"]}):
        return f"{LIVE}: {'; '.join(alarms)}"
    if any(not host["monitoring_alarms_unknown"] for host in asked):
        return ""
    reasons = [str(host["monitoring_alarms_unknown"]) for host in asked]
    return f"{UNKNOWN}: {'; '.join(reasons) or 'no host of ops:&cloud was asked'}"


def rehearsal_result(here: Host, there: Host, server: str) -> dict[str, Any]:
    """Return what came of a rehearsal: ok, stopped, reason, seconds, and the seconds until each moment it reached.

    `here`: variables of localhost, `there`: of the throwaway server, empty when there was none. Stopped is one that an
    alarm ended and that left nothing: it says nothing about a failover.
    """
    fault = str(here.get("throwaway_fault") or there.get("throwaway_fault") or "")
    if not fault and there.get("rehearsal_sold") is None:
        fault = f"{server} could not be reached, or was lost on the way"
    left = str(here.get("throwaway_left") or "")
    began = int(here.get("throwaway_began") or 0)
    reached = {figure: int(there[fact]) - began for figure, fact in MOMENTS.items() if there.get(fact) is not None}
    result: dict[str, Any] = {
        "ok": not fault and not left,
        "stopped": not left and (LIVE in fault or UNKNOWN in fault),
        "reason": " ".join(f"{each.rstrip('. ')}." for each in (fault, left) if each),
        "seconds": int(here.get("throwaway_seconds") or 0),
        **reached,
    }
    age = (there.get("backup_leading") or {}).get("newest_booking_age_s")
    return result if age is None else result | {"newest_booking_age_s": float(age)}


class FilterModule:
    """Offer the filters to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"live_alarms": live_alarms, "right_of_way": right_of_way, "rehearsal_result": rehearsal_result}
