"""What tests of a failover share; the rows of the failure matrix themselves are drills (lab/drills, test_drills.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import faults
from lab.drills import health
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.test_show import playbook


@pytest.fixture
def colo_again(lab: Lab, site: faults.Lab) -> Iterator[None]:
    assert playbook("acknowledge_recovery").ok
    yield
    faults.power_on(site, "colo")
    eventually(lambda: lab.on("colo-ops1", "sudo understudy brake").ok, 60, "the colo's runner answers")


def roles(site: faults.Lab) -> dict[str, tuple[str, str]]:
    return {name: (each["Role"], each["State"]) for name, each in health.members(site).items()}
