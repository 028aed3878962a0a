"""What the real `ansible-inventory` does on a cloud's bad days."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.inventory.conftest import LIMIT_SECONDS
from tests.integration.inventory.openstack_api import PASSWORD, TOKEN, server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.inventory.conftest import InventoryFolder, Run
    from tests.integration.inventory.openstack_api import FakeCloud, Fault

# Ansible's start and imports on a machine that is busy with other tests; without the limit it would be 60 s.
SLACK_SECONDS = 12.0
SILENCES: list[tuple[Fault, str]] = [
    ("hang", "no complete answer within 1 s"),
    ("trickle", "no complete answer within 1 s"),
    ("unauthorized", "HTTP 401 from http://127.0.0.1"),
    ("error", "HTTP 500 from http://127.0.0.1"),
    ("broken_json", "the answer of http://127.0.0.1"),
    ("second_page", "HTTP 500"),
]


def assert_stale(run: Run, *names: str) -> None:
    """Say that the named hosts are from the last good list, the fixed one is not, and nothing is lost."""
    assert run.status == 0, run.errors
    assert set(run.hosts) == {"colo-db1", *names}
    assert all(run.hosts[name]["two_sites_stale"] for name in names)
    assert all(run.hosts[name]["two_sites_snapshot_age_seconds"] >= 0 for name in names)
    assert run.hosts["colo-db1"]["two_sites_stale"] is False
    assert run.groups["was"] == ["cloud-was1"]
    assert run.errors.count("gave no complete list") == 1


@pytest.mark.parametrize(("fault", "cause"), SILENCES)
def test_a_silent_cloud_loses_no_host(folder: InventoryFolder, cloud: FakeCloud, fault: Fault, cause: str) -> None:
    folder.keep_last_good(cloud)
    cloud.page_length = 1 if fault == "second_page" else 1000
    cloud.fault = fault
    before = folder.last_good.read_bytes()
    run = folder.list()
    assert_stale(run, "cloud-was1", "cloud-gw1")
    assert f"Cloud 'lab' gave no complete list of its servers: {cause}" in run.sentence
    assert folder.last_good.read_bytes() == before
    assert run.took_seconds < LIMIT_SECONDS + SLACK_SECONDS


def test_a_cloud_that_refuses_connections_loses_no_host(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    cloud.stop()
    run = folder.list()
    assert_stale(run, "cloud-was1", "cloud-gw1")
    assert "connection refused at http://127.0.0.1" in run.sentence


def test_the_age_is_that_of_the_last_good_list(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    kept = json.loads(folder.last_good.read_text())
    kept["fetched_at_epoch_seconds"] -= 7000
    folder.last_good.write_text(json.dumps(kept))
    cloud.fault = "error"
    run = folder.list()
    assert 7000 <= run.hosts["cloud-was1"]["two_sites_snapshot_age_seconds"] <= 7060
    assert "s old, each marked two_sites_stale" in run.sentence


def test_silence_with_no_last_good_list_is_an_error_and_no_inventory(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.fault = "error"
    run = folder.list()
    assert run.status != 0
    assert run.output == ""
    assert "Cloud 'lab' gave no complete list of its servers: HTTP 500" in run.sentence
    assert "There is no last good list" in run.sentence


def test_silence_that_must_fail_names_cloud_and_cause(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    folder.configuration["clouds"][0]["on_unreachable"] = "fail"
    cloud.fault = "hang"
    run = folder.list()
    assert run.status != 0
    assert "Cloud 'lab' gave no complete list of its servers: no complete answer within 1 s" in run.sentence


def test_a_broken_last_good_list_is_an_error_only_when_it_is_needed(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    folder.last_good.write_text('{"version": 1, "servers": "none"}')
    cloud.fault = "error"
    run = folder.list()
    assert run.status != 0
    assert f"{folder.last_good} is" in run.sentence
    assert "HTTP 500" in run.sentence
    cloud.fault = "none"
    assert folder.list().hosts["cloud-was1"]["two_sites_stale"] is False


def test_one_hanging_cloud_neither_delays_nor_harms_the_others(
    folder: InventoryFolder, cloud: FakeCloud, start_cloud: Callable[[], FakeCloud]
) -> None:
    others = [start_cloud() for _ in range(3)]
    for number, other in enumerate(others):
        other.servers = [server(f"other{number}", "was", f"10.230.1.{number + 1}")]
        folder.clouds[f"other{number}"] = other.url
    limits = [("lab", 20.0), *((f"other{number}", 3.0) for number in range(3))]
    folder.configuration["clouds"] = [
        {"name": name, "site": "cloud", "timeout_seconds": seconds} for name, seconds in limits
    ]
    assert folder.list().status == 0
    for other in others[:2]:
        other.fault = "hang"
    run = folder.list()
    stale = {name for name, facts in run.hosts.items() if facts["two_sites_stale"]}
    assert run.status == 0
    assert stale == {"other0", "other1"}
    assert len(run.hosts) == 6
    assert run.took_seconds < 3.0 + SLACK_SECONDS


def test_the_list_of_another_project_is_never_served(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    cloud.fault = "error"
    folder.project = "another"
    run = folder.list()
    assert run.status != 0
    assert "There is no last good list" in run.sentence


def test_no_secret_of_the_cloud_is_said_or_kept(folder: InventoryFolder, cloud: FakeCloud) -> None:
    said = folder.list("-vvv").errors + folder.last_good.read_text()
    cloud.fault = "echo"
    folder.configuration["clouds"][0]["on_unreachable"] = "fail"
    said += folder.list("-vvv").errors
    assert "HTTP 500" in said
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], TOKEN):
        assert secret not in said
