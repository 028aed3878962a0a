"""What the storm of alerts sends is what the runner reads."""

from __future__ import annotations

import pytest

from lab.drills import remote_storm
from runner.payloads import deliveries


def test_a_delivery_of_the_storm_is_one_alert_that_the_runner_understands() -> None:
    (alert,) = deliveries(remote_storm.body(7, "2026-12-24T18:00:00Z"))
    assert (alert.name, alert.status) == ("DrillStorm", "resolved")


def test_an_alert_that_is_named_fires() -> None:
    (alert,) = deliveries(remote_storm.body(7, "2026-12-24T18:00:00Z", "BookingSlow"))
    assert (alert.name, alert.status, alert.ends_at) == ("BookingSlow", "firing", None)


def test_deliveries_differ_by_their_number_alone() -> None:
    first, again, second = (deliveries(remote_storm.body(n, "2026-12-24T18:00:00Z"))[0] for n in (1, 1, 2))
    assert first == again
    assert first != second


def test_the_storm_goes_to_the_own_sites_runner() -> None:
    urls = ["https://10.0.2.31:8700/alerts", "https://10.0.1.31:8700/alerts"]
    assert remote_storm.own(urls, ["10.0.1.31", "192.0.2.1"]) == urls[1]
    with pytest.raises(StopIteration):
        remote_storm.own(urls, ["192.0.2.1"])


@pytest.mark.parametrize(
    ("code", "ends"), [("202", True), ("401", True), ("503", False), ("TimeoutError", False), ("URLError", False)]
)
def test_a_runner_that_is_silent_or_not_ready_is_asked_again(code: str, ends: bool) -> None:
    assert remote_storm.taken(code) is ends
