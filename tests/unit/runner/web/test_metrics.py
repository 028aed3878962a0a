"""The metrics, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from runner.errors import StoreUnavailable
from runner.model import Capacity
from runner.web.traffic import BOUNDS, Traffic
from tests.unit.runner.web.desks import MemoryDesk, ask, failing, house


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return name and labels -> value. Raises ValueError for what Prometheus would not read."""
    return {
        (sample.name.removeprefix("understudy_runner_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_store_is_shown_as_it_is_at_the_scrape() -> None:
    desk = MemoryDesk(known=Capacity(4, 3, 12.5, stale=True, allowed=6))
    response = ask(desk, "GET", "/metrics", "read")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(response.text)
    assert found["jobs", (("state", "running"),)] == 2
    assert found["jobs", (("state", "failed"),)] == 0
    assert found["ledger_entries", (("verdict", "repeat"),)] == 7
    expected = {
        "store_up": 1, "deliveries_unjudged": 5, "deliveries_unjudged_age_seconds": 1.5, "planned_servers": 3,
        "capacity_known": 1, "capacity_wanted_servers": 4, "capacity_ready_servers": 3, "capacity_age_seconds": 12.5,
        "capacity_stale": 1, "capacity_allowed_servers": 6, "brake_on": 1, "notifications_pending": 1,
        "workers_alive": 1, "rules_refused": 0, "followers": 0,
    }  # fmt: skip
    assert {name: found[name, ()] for name in expected} == expected
    assert found["build_info", (("version", "0.1"),)] == 1
    assert found["process_resident_memory_bytes", ()] > 0


def test_what_is_unknown_is_missing_and_not_zero() -> None:
    found = {name for name, _ in samples(ask(MemoryDesk(), "GET", "/metrics", "read").text)}
    assert "capacity_known" in found
    assert not found & {"capacity_wanted_servers", "capacity_ready_servers", "heartbeat_age_seconds"}
    unlimited = MemoryDesk(known=Capacity(4, 3, 12.5, stale=False))
    found = {name for name, _ in samples(ask(unlimited, "GET", "/metrics", "read").text)}
    assert "capacity_ready_servers" in found
    assert "capacity_allowed_servers" not in found


def test_without_the_store_the_scrape_says_so_and_goes_on() -> None:
    response = ask(failing(StoreUnavailable("Gone.")), "GET", "/metrics", "read")
    assert response.status_code == 200
    found = samples(response.text)
    assert found["store_up", ()] == 0
    assert ("jobs", (("state", "running"),)) not in found


def test_requests_are_counted_by_address_and_not_by_what_stands_in_it() -> None:
    front = house(MemoryDesk())
    for path in ("/jobs/j1", "/jobs/j2", "/jobs/j3", "/made/up", "/made/up/too"):
        ask(front, "GET", path, "read")
    ask(front, "BREW", "/jobs", "read")
    ask(front, "GET", "/jobs", None)
    found = samples(ask(front, "GET", "/metrics", "read").text)
    counted = {
        tuple(dict(labels).values()): value for (name, labels), value in found.items() if name == "http_requests_total"
    }
    assert counted == {
        ("GET", "/jobs/{job_id}", "200"): 1,
        ("GET", "/jobs/{job_id}", "404"): 2,
        ("GET", "other", "404"): 2,
        ("GET", "other", "401"): 1,
        ("other", "/jobs", "405"): 1,
    }


def test_times_of_the_intake_fall_into_the_bucket_of_their_bound() -> None:
    traffic = Traffic()
    for seconds in (0.0005, BOUNDS[0], 0.04, 99.0):
        traffic.taken(202, seconds)
    buckets, total = traffic.intake()
    assert dict(buckets)[str(BOUNDS[0])] == 2
    assert dict(buckets)["0.05"] == 3
    assert dict(buckets)["+Inf"] == 4
    assert total > 99
