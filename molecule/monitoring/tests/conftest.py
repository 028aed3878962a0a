"""The two operations hosts, what they are told, and how to ask them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testinfra.host import Host

ADDRESSES = {"colo": "10.210.254.150", "cloud": "10.210.254.151"}
BUSY = "booking_customers_waiting 9\\nbooking_ready 1\\n"


def host(site: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://mol-monitoring-{site}?ansible_inventory={inventory}", sudo=True)


def wait_until(condition: Callable[[], bool], what: str, deadline_seconds: float = 60) -> None:
    end = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"
        time.sleep(0.2)


@dataclass(frozen=True)
class Site:
    """One operations host."""

    name: str
    host: Host

    @property
    def address(self) -> str:
        return ADDRESSES[self.name]

    def get(self, url: str, arguments: str = "") -> Any:
        """Ask from this host; return what the answer says, {} when there is none."""
        said = self.host.run(f"curl --silent --max-time 5 {arguments} '{url}'")
        try:
            return json.loads(said.stdout)
        except json.JSONDecodeError:
            return {}

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask this site's Prometheus."""
        said = self.get(f"http://127.0.0.1:9090/api/v1/query?query={quote(expression)}")
        return list(said.get("data", {}).get("result", []))

    def value(self, expression: str) -> float | None:
        """Ask for one number."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def told(self, alertname: str, status: str = "firing") -> list[dict[str, Any]]:
        """Return the deliveries of one alert that this site's runner got."""
        lines = self.host.run("cat /run/standin/told").stdout.splitlines()
        return [
            {**delivery, "alert": alert}
            for delivery in map(json.loads, lines)
            for alert in delivery["body"]["alerts"]
            if alert["labels"]["alertname"] == alertname and alert["status"] == status
        ]

    def forget(self) -> None:
        self.host.check_output("rm -f /run/standin/told")

    def listeners(self) -> set[str]:
        """Return the addresses and ports that programs of monitoring listen at."""
        lines = self.host.check_output("ss -Hlntup").splitlines()
        return {line.split()[4] for line in lines if "prometheus" in line}


@pytest.fixture(scope="session")
def sites() -> dict[str, Site]:
    found = {name: Site(name, host(name)) for name in ADDRESSES}
    for site in found.values():
        site.host.check_output("test -x /usr/bin/curl || apt-get install -qq -y --no-install-recommends curl")
    return found


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Return how to wait for a condition."""
    return wait_until


@pytest.fixture
def crowd(sites: dict[str, Site]) -> Iterator[Callable[[], None]]:
    """Return how to let customers wait at one server; nobody waits afterwards, and both runners have heard so."""

    def come() -> None:
        for site in sites.values():
            site.forget()
        sites["cloud"].host.check_output(f"printf '{BUSY}' > /run/standin/figures")

    yield come
    sites["cloud"].host.check_output("rm -f /run/standin/figures")
    for site in sites.values():
        wait_until(partial(nobody_waits, site), f"{site.name} hears that it is over")


def nobody_waits(site: Site) -> bool:
    return site.query("ALERTS{alertname='BookingSlow'}") == [] and bool(site.told("BookingSlow", "resolved"))
