from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from openstack.config import OpenStackConfig

from plugins.plugin_utils.two_sites.compute_api import connection_to
from plugins.plugin_utils.two_sites.servers import Snapshot, read_server
from plugins.plugin_utils.two_sites.snapshots import write_last_good
from tests.integration.inventory.openstack_api import PASSWORD, FakeCloud, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
ANSIBLE_INVENTORY = Path(sys.executable).parent / "ansible-inventory"
LIMIT_SECONDS = 1.0


@dataclass(frozen=True)
class Run:
    """What a command said: its exit status, both its outputs, and how long it took."""

    status: int
    output: str
    errors: str
    took_seconds: float

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads(self.output)["_meta"]["hostvars"]
        return found

    @property
    def groups(self) -> dict[str, list[str]]:
        data = json.loads(self.output)
        return {name: sorted(each["hosts"]) for name, each in data.items() if "hosts" in each}

    @property
    def sentence(self) -> str:
        """The errors as one line, for Ansible breaks them where the terminal ends."""
        return " ".join(self.errors.split())


class InventoryFolder:
    """A folder with an inventory's files, and Ansible's commands on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configuration: dict[str, Any] = {
            "plugin": "two_sites",
            "sites": {
                "colo": {"networks": {"lan": "10.220.0.0/16", "public": "10.101.0.0/24"}},
                "cloud": {"networks": {"lan": "10.230.0.0/16", "public": "10.102.0.0/24"}},
                "witness": {"networks": {"public": "10.103.0.0/24"}},
            },
            "management_networks": ["10.231.0.0/16"],
            "functions": ["gateway", "edge", "was", "database", "ops", "observer"],
            "fixed_hosts": "fixed_hosts.yml",
            "clouds_yaml": "clouds.yaml",
            "clouds": [{"name": "lab", "site": "cloud", "timeout_seconds": LIMIT_SECONDS}],
            "last_good_directory": "last_good",
        }
        self.fixed_hosts: dict[str, Any] = {
            "hosts": {"colo-db1": {"addresses": {"lan": "10.220.0.21"}, "functions": ["database"]}}
        }
        self.clouds: dict[str, str] = {}
        self.project = "understudy"
        self.password = PASSWORD

    @property
    def file(self) -> Path:
        return self.path / "two_sites.yml"

    @property
    def last_good(self) -> Path:
        (file,) = (self.path / "last_good").glob("lab-*.json")
        return file

    def write(self) -> None:
        self.file.write_text(yaml.safe_dump(self.configuration, sort_keys=False))
        (self.path / "fixed_hosts.yml").write_text(yaml.safe_dump(self.fixed_hosts, sort_keys=False))
        clouds = {
            name: {
                "auth": {
                    "auth_url": url, "username": "understudy", "password": self.password,
                    "project_name": self.project, "user_domain_name": "Default",
                    "project_domain_name": "Default",
                },
                "region_name": "RegionOne",
            }
            for name, url in self.clouds.items()
        }  # fmt: skip
        (self.path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": clouds}))

    def list(self, *arguments: str, **environment: str) -> Run:
        """Write the files and run `ansible-inventory --list`."""
        self.write()
        return self.list_as_written(*arguments, **environment)

    def list_as_written(self, *arguments: str, **environment: str) -> Run:
        """Run `ansible-inventory --list` on the files that are there."""
        return self.run(str(ANSIBLE_INVENTORY), "-i", str(self.file), "--list", *arguments, **environment)

    def keep_last_good(self, cloud: FakeCloud) -> None:
        """Put the last good list in place that a healthy run would have left."""
        self.write()
        file = str(self.path / "clouds.yaml")
        with warnings.catch_warnings():  # the sdk warns of a service that nobody here uses
            warnings.simplefilter("ignore")
            region = OpenStackConfig(config_files=[file], load_envvars=False).get_one(cloud="lab")
        identity = connection_to(region, "lab", only_ours=True).identity
        servers = tuple(read_server(each) for each in cloud.servers)
        snapshot = Snapshot("lab", identity, int(time.time()), servers)
        write_last_good(self.path / "last_good", snapshot)

    def run(self, *command: str, **environment: str) -> Run:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "OS_"))}
        settings = {
            "ANSIBLE_CONFIG": str(self.path / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "understudy.hybrid.two_sites",
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "ANSIBLE_NOCOLOR": "1",
            "NO_PROXY": "127.0.0.1",
            "COLUMNS": "1000",
        }
        started = time.monotonic()
        done = subprocess.run(
            command, env={**inherited, **settings, **environment}, cwd=self.path, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


@pytest.fixture
def start_cloud() -> Iterator[Callable[[], FakeCloud]]:
    """Start clouds, as many as a test wants; they end with it."""
    started: list[FakeCloud] = []

    def start() -> FakeCloud:
        started.append(FakeCloud().start())
        return started[-1]

    yield start
    for cloud in started:
        cloud.stop()


@pytest.fixture
def cloud(start_cloud: Callable[[], FakeCloud]) -> FakeCloud:
    """A cloud with two servers of ours."""
    fake = start_cloud()
    fake.servers = [
        server("cloud-was1", "was", "10.230.0.11", "10.231.0.11"),
        server("cloud-gw1", "gateway,edge", "10.230.0.2", "10.102.0.2"),
    ]
    return fake


@pytest.fixture
def folder(tmp_path: Path, cloud: FakeCloud) -> InventoryFolder:
    """An inventory of one fixed host and one cloud."""
    made = InventoryFolder(tmp_path)
    (tmp_path / "ansible.cfg").write_text("")
    made.clouds = {"lab": cloud.url}
    return made
