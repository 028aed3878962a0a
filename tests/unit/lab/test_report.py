"""What the report of a demonstration tells programs and people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.demo import write
from lab.report import (
    AUDIT_KEYS,
    BACKUP_KEYS,
    DURATION_KEYS,
    FAILBACK_KEYS,
    FAILOVER_KEYS,
    REQUEST_KEYS,
    SCALE_KEYS,
    Demonstration,
    Event,
    Outage,
    Release,
    Surge,
    document,
    faults,
    latencies,
    page,
)

AUDIT: dict[str, Any] = dict.fromkeys(AUDIT_KEYS, 0) | {"confirmed": 120, "unsettled": 0, "findings": []}
CROWD: dict[str, Any] = {
    "requests": {"total": 900, "failed": 0, "retried": 3, "p50_ms": 8.0, "p99_ms": 90.0, "by_status": {"200": 900}},
    "purchases": {"confirmed": 120, "gave_up": 0},
    "edges": {"10.0.0.1": 450, "10.0.0.2": 450},
    "servers": {"colo-was1": 900},
    "per_second": [{"at_s": second, "requests": 9, "confirmed": 2, "failed": 0, "p99_ms": 20} for second in range(60)],
}
HOSTS = [
    {"name": "colo-gw1", "site": "colo", "answers": True, "power": "on"},
    {"name": "cloud-gw1", "site": "cloud", "answers": False, "power": "off"},
]

SCALE: dict[str, Any] = {
    "alert_to_first_task_ms": 480.0,
    "alert_to_first_booking_s": 19.2,
    "servers_before": 3,
    "servers_peak": 5,
    "servers_after": 3,
    "failed_purchases": 0,
}
COST = {"currency": "KRW", "flavor": "was.small", "per_hour": 62, "as_it_ran": 20.1, "always_for_the_peak": 31.0}
SERVERS = [(0.0, 3), (40.0, 5), (90.0, 5), (120.0, 3)]


def second(at: int, requests: int, p99_ms: float) -> dict[str, Any]:
    return {"at_s": at, "requests": requests, "confirmed": 2, "failed": 0, "p99_ms": p99_ms}


def large_crowd(overload_ms: float = 400, relieved_ms: float = 60) -> list[dict[str, Any]]:
    """Seconds of a crowd that grows after 10, has new servers at 40, is quick from 52, and leaves at 70."""
    small, stragglers = [second(at, 9, 900) for at in range(10)], [second(at, 2, 1) for at in range(70, 75)]
    large = [second(at, 50, overload_ms if at < 40 else 500 if at < 52 else relieved_ms) for at in range(10, 70)]
    return [*small, *large, *stragglers]


SURGED = CROWD | {"per_second": large_crowd()}


def grown(**changes: Any) -> Surge:
    facts: dict[str, Any] = {"began_s": 310.0, "crowd": SURGED, "servers": SERVERS, "scale": SCALE, "cost": COST}
    return Surge(**(facts | changes))


DRILL: dict[str, Any] = {
    "tier": "archive",
    "rto_s": 61.2,
    "outage": {"began_s": 0.1, "ended_s": 61.2},
    "rpo_s": 4.1,
    "rpo_bookings": 9,
    "sold_twice": 0,
    "both_sites_wrote_ms": None,
    "failback": {"seconds": 60.0, "longest_wait_s": 2.1, "only_on_old_side": 9, "conflicts": 0},
    "purchases": {"confirmed": 300, "gave_up": 0},
    "faults": [],
}
EVENTS = [{"at_s": 5.0, "what": "a crowd comes: 3 customers per second"}, {"at_s": 25.0, "what": "now"}]


def dark(**changes: Any) -> Outage:
    drill = DRILL | changes
    return Outage(500.0, drill, CROWD, EVENTS, {"size_bytes": 8200000, "seconds": 5, "type": "diff"})


def shown(**changes: Any) -> Demonstration:
    events = [Event(1.0, "building"), Event(320.0, "rolling release 2 begins")]
    durations = {"setup": 12.0, "lab": 180.0, "site": 100.0}
    facts: dict[str, Any] = {
        "began": "2026-12-24 18:00:00+09:00",
        "events": events,
        "durations_s": durations,
        "crowd": CROWD,
        "audit": AUDIT,
        "hosts": HOSTS,
        "crowd_began_s": 300.0,
        "release": Release(everywhere=True, bookings_meanwhile=60, bookings_after=20),
        "surge": grown(),
        "outage": dark(),
    }
    return Demonstration(**(facts | changes))


def test_every_key_that_others_read_is_in_the_document() -> None:
    told = document(shown())
    assert set(AUDIT_KEYS) <= set(told["audit"])
    assert set(REQUEST_KEYS) <= set(told["requests"])
    assert set(told["scale"]) == set(SCALE_KEYS)
    assert [set(told[part]) for part in ("backup", "failover", "failback")] == [
        set(BACKUP_KEYS),
        set(FAILOVER_KEYS),
        set(FAILBACK_KEYS),
    ]
    assert told["failover"]["rto_s"] == 61.2
    assert told["failback"]["failed_purchases"] == 0
    assert set(told["durations_s"]) == set(DURATION_KEYS)
    assert told["timeline"][1] == {"at_s": 320.0, "what": "rolling release 2 begins"}
    assert json.loads(json.dumps(told)) == told


def test_a_clean_demonstration_has_no_fault() -> None:
    assert faults(shown()) == []


@pytest.mark.parametrize("key", AUDIT_KEYS[1:])
def test_any_loss_is_a_fault(key: str) -> None:
    assert faults(shown(audit=AUDIT | {key: 1})) == [f"Audit: 1 {key.replace('_', ' ')}."]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"audit": AUDIT | {"confirmed": 0}}, "Nobody bought a ticket"),
        ({"crowd": CROWD | {"requests": CROWD["requests"] | {"failed": 1}}}, "1 requests got no proper answer"),
        ({"crowd": CROWD | {"purchases": {"confirmed": 1, "gave_up": 2}}}, "2 customers gave up"),
        ({"release": Release(False, 60, 20)}, "The release did not reach every server"),
        ({"release": Release(True, 0, 20)}, "Nobody bought a ticket while the release rolled"),
        ({"release": Release(True, 60, 0)}, "The crowd had left before the release was everywhere"),
        ({"outage": None}, "The drill of a dark colo broke off"),
        ({"outage": dark(faults=["2 customers gave up."])}, "When the colo went dark: 2 customers gave up."),
        ({"surge": None}, "No image of burst servers was published"),
        ({"surge": grown(crowd=SURGED | {"requests": CROWD["requests"] | {"failed": 3}})}, "3 requests got no proper"),
        ({"surge": grown(scale=SCALE | {"failed_purchases": 4})}, "4 customers gave up"),
        ({"surge": grown(scale=SCALE | {"alert_to_first_booking_s": None})}, "No burst server sold a ticket"),
        ({"surge": grown(scale=SCALE | {"servers_after": 5})}, "5 servers are there after the crowd, 3 before it"),
        ({"surge": grown(scale=SCALE | {"alert_to_first_task_ms": None})}, "No task of a playbook was seen to follow"),
        ({"surge": grown(servers=SERVERS[1:])}, "Whether new servers made answers faster is not known"),
        ({"surge": grown(crowd=CROWD | {"per_second": []})}, "Whether new servers made answers faster is not known"),
        ({"surge": grown(crowd=CROWD | {"per_second": large_crowd(60, 60)})}, "nothing faster: p99 60 ms before"),
    ],
)
def test_what_customers_or_operators_would_call_a_failure_is_a_fault(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    demonstration = shown(**changes)
    assert says in " ".join(faults(demonstration))
    assert says in page(demonstration)
    assert not write(demonstration, tmp_path)


def test_latency_is_that_of_the_large_crowd_before_servers_came_and_once_they_had_caught_up() -> None:
    assert latencies(large_crowd(400, 60), SERVERS) == (400, 60)


def test_a_moment_in_which_the_machine_had_other_work_is_not_the_servers() -> None:
    moments = {12, 13, 66, 67}
    disturbed = [each | {"p99_ms": 2_000} if each["at_s"] in moments else each for each in large_crowd(400, 60)]
    assert latencies(disturbed, SERVERS) == (400, 60)


def test_the_page_says_what_was_lost() -> None:
    told = page(shown(audit=AUDIT | {"missing": 2, "findings": ["booking A1B2 is in no table"]}))
    assert "Audit: 2 missing." in told
    assert "booking A1B2 is in no table" in told
    assert "every one of them in the database" not in told


def test_the_page_shows_the_crowd_the_release_and_who_was_dark() -> None:
    told = page(shown())
    assert "120 bookings confirmed" in told
    assert told.count("<svg") == 4  # two crowds, the outage, the hosts
    assert "servers that serve: what is paid" in told  # of the crowd that grew, in its picture
    assert "nobody could buy: 61 s (RTO)" in told
    assert "cloud-gw1 (off, does not answer)" in told


def test_what_a_host_or_event_is_called_cannot_become_markup() -> None:
    told = page(shown(events=[Event(0, "<script>alert(1)</script>")]))
    assert "<script>" not in told


def test_both_reports_are_written(tmp_path: Path) -> None:
    assert write(shown(), tmp_path)
    assert json.loads((tmp_path / "latest.json").read_text())["audit"]["confirmed"] == 120
    assert (tmp_path / "latest.html").read_text().startswith("<!doctype html>")
