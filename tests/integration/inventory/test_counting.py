"""What count_servers hands over to the runner: how many there are, were lost, and may be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.integration.inventory.openstack_api import server

if TYPE_CHECKING:
    from tests.integration.inventory.conftest import InventoryFolder
    from tests.integration.inventory.openstack_api import FakeCloud

ROOT = Path(__file__).parents[3]
WIRING = ROOT / "inventories/lab/group_vars/all"
QUOTA = {
    "maxTotalInstances": 10, "totalInstancesUsed": 4, "maxTotalCores": 12, "totalCoresUsed": 8,
    "maxTotalRAMSize": -1, "totalRAMUsed": 16384,
}  # fmt: skip


def burst(number: int, **changes: Any) -> dict[str, Any]:
    metadata = {"understudy_function": "was", "burst": "true", "understudy_burst": "serving"}
    return server(f"cloud-burst{number}", "was", f"10.230.0.5{number}", **{"metadata": metadata, **changes})


@pytest.fixture
def counting(folder: InventoryFolder, cloud: FakeCloud) -> InventoryFolder:
    """A project whose cloud has a standing server and burst servers, of which one does not run."""
    cloud.servers = [*cloud.servers, burst(1), burst(2, status="SHUTOFF")]
    cloud.limits = dict(QUOTA)
    patient = {"name": "lab", "site": "cloud", "timeout_seconds": 30}
    folder.configuration |= {"groups": {"burst": "two_sites_burst"}, "reach_over": "site", "clouds": [patient]}
    cloud_words, service = (yaml.safe_load((WIRING / f"{name}.yml").read_text()) for name in ("cloud", "service"))
    wired = {name: value for name, value in cloud_words.items() if name.startswith("cloud_burst_")}
    ours = {"cloud_name": "lab", "cloud_clouds_yaml": str(folder.path / "clouds.yaml"), "cloud_api_timeout_seconds": 30}
    (folder.path / "group_vars").mkdir()
    stale = {"preflight_stale_hosts": service["preflight_stale_hosts"], "ansible_python_interpreter": sys.executable}
    (folder.path / "group_vars/all.yml").write_text(yaml.safe_dump(wired | ours | stale))
    return folder


def told(folder: InventoryFolder) -> dict[str, Any]:
    """Run the playbook; return what it hands over."""
    folder.write()
    command = (str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(folder.file))
    run = folder.run(
        *command, str(ROOT / "playbooks/count_servers.yml"),
        ANSIBLE_ROLES_PATH=str(ROOT / "roles"), ANSIBLE_SHOW_CUSTOM_STATS="1", ANSIBLE_LOCALHOST_WARNING="0",
    )  # fmt: skip
    assert run.status == 0, run.output + run.errors
    _, _, after = run.output.partition("RUN: ")
    return dict(json.loads(after))


def test_the_quota_counts_from_those_that_are_there(counting: InventoryFolder) -> None:
    assert told(counting) == {"ready_servers": 1, "lost_servers": 1, "inventory_stale": False, "allowed_servers": 4}


def test_without_a_limit_none_is_told(counting: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.limits = dict.fromkeys(QUOTA, -1)
    assert told(counting).get("allowed_servers") is None


def test_a_quota_that_cannot_be_asked_for_is_not_known_and_the_count_goes_on(
    counting: InventoryFolder, cloud: FakeCloud
) -> None:
    cloud.limits = None
    assert told(counting) == {"ready_servers": 1, "lost_servers": 1, "inventory_stale": False}


def test_a_cloud_that_did_not_answer_is_not_asked_for_its_quota(counting: InventoryFolder, cloud: FakeCloud) -> None:
    counting.keep_last_good(cloud)
    cloud.fault = "error"
    assert told(counting) == {"ready_servers": 1, "lost_servers": 1, "inventory_stale": True}
