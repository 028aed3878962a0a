"""The metrics: what the store holds at the moment of the scrape, and what this process has answered."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from runner.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from runner.service.figures import Figures
    from runner.web.desk import Desk
    from runner.web.stories import Stories
    from runner.web.traffic import Traffic

PREFIX = "understudy_runner_"
logger = logging.getLogger("runner.web")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Source(Collector):
    """Where the metrics come from."""

    desk: Desk
    traffic: Traffic
    stories: Stories
    version: str

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics. Without the store: `store_up` 0, and those of this process."""
        yield _labelled("build_info", "Always 1; the label is the release.", "version", {self.version: 1})
        yield _gauge("followers", "Streams of jobs' stories that are open.", self.stories.followers)
        yield from _of_traffic(self.traffic)
        try:
            found = self.desk.figures()
        except StoreUnavailable as error:
            logger.warning("event=store_unavailable path=/metrics error=%r", str(error))
            yield _gauge("store_up", "1 when the store could be read.", 0)
            return
        yield _gauge("store_up", "1 when the store could be read.", 1)
        yield from _of_work(found)
        yield from _of_capacity(found)


def make_registry(source: Source) -> CollectorRegistry:
    """Return a registry of its own that holds the metrics and those of the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(source)
    ProcessCollector(namespace=PREFIX.rstrip("_"), registry=registry)
    return registry


def rendered(registry: CollectorRegistry) -> bytes:
    """Return the metrics in Prometheus's text format, as they are now."""
    return generate_latest(registry)


def _of_traffic(traffic: Traffic) -> Iterator[Metric]:
    labels = ("route", "method", "status")
    requests = CounterMetricFamily(f"{PREFIX}http_requests", "Requests answered since the start.", labels=labels)
    for (route, method, status), count in sorted(traffic.answers().items()):
        requests.add_metric((route, method, str(status)), count)
    yield requests
    buckets, seconds = traffic.intake()
    about = "Time from a delivery's head to its answer, commit included."
    yield HistogramMetricFamily(f"{PREFIX}intake_seconds", about, buckets=buckets, sum_value=seconds)


def _of_work(found: Figures) -> Iterator[Metric]:
    yield _labelled("jobs", "Kept jobs by state.", "state", found.jobs)
    yield _labelled("ledger_entries", "Kept entries of the ledger by verdict.", "verdict", found.ledger)
    yield _gauge("deliveries_unjudged", "Deliveries that nobody judged yet.", found.unjudged)
    oldest = found.oldest_unjudged_seconds or 0.0
    yield _gauge("deliveries_unjudged_age_seconds", "Age of the oldest of them; 0 when there is none.", oldest)
    yield _gauge("notifications_pending", "Notifications on their way.", found.notifications_pending)
    yield _gauge("workers_alive", "Workers whose lease has not ended.", found.workers_alive)
    yield _gauge("brake_on", "1 while the brake is on.", found.brake_on)
    yield _gauge("rules_refused", "1 while a newer policy or calendar file is refused.", found.rules_refused)
    if found.heartbeat is not None:
        heard = {} if found.heartbeat_seconds is None else {found.heartbeat: found.heartbeat_seconds}
        about = "Age of the heartbeat; missing when it was never heard."
        yield _labelled("heartbeat_age_seconds", about, "alertname", heard)


def _of_capacity(found: Figures) -> Iterator[Metric]:
    yield _gauge("planned_servers", "Burst servers that the capacity plan wants now.", found.planned_servers)
    yield _gauge("capacity_known", "1 when burst servers were ever observed.", found.capacity is not None)
    if found.capacity is not None:
        known = found.capacity
        yield _gauge("capacity_wanted_servers", "Burst servers that the last decision asked for.", known.wanted)
        yield _gauge("capacity_ready_servers", "Burst servers that served when last observed.", known.ready)
        yield _gauge("capacity_age_seconds", "Age of that observation.", known.age_seconds)
        yield _gauge("capacity_stale", "1 when it came from the inventory's last good list.", known.stale)
        if known.allowed is not None:
            about = "Burst servers that the cloud's quota lets there be; missing when without limit, or not known."
            yield _gauge("capacity_allowed_servers", about, known.allowed)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, about, value=float(value))


def _labelled(name: str, about: str, label: str, values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, about, labels=(label,))
    for key, value in values.items():
        family.add_metric((str(key),), float(value))
    return family
