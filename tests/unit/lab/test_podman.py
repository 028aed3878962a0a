from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

from lab import podman
from lab.paths import Paths
from tests.unit.lab.test_machine import GOOD

PATHS = Paths(Path("/s"), Path("/c"), Path("/r"))
BARE = dataclasses.replace(
    GOOD, init="sh", cgroup="hybrid", may_raise_limits=False, open_files_limit=20_000, processes_limit=4_096
)


def test_a_standard_machine_gets_podmans_defaults_in_the_labs_own_directories() -> None:
    written = tomllib.loads(podman.containers_conf(GOOD, PATHS))

    assert written == {
        "containers": {},
        "engine": {"tmp_dir": "/r/libpod", "lock_type": "file"},
        "network": {"network_backend": "cni", "network_config_dir": "/s/networks"},
    }


def test_hybrid_control_groups_get_runc() -> None:
    written = tomllib.loads(podman.containers_conf(dataclasses.replace(GOOD, cgroup="hybrid"), PATHS))

    assert written["engine"]["runtime"] == "runc"
    assert "cgroup_manager" not in written["engine"]


def test_a_machine_without_systemd_gets_files_for_logs_and_plain_control_groups() -> None:
    written = tomllib.loads(podman.containers_conf(BARE, PATHS))

    assert written["engine"]["cgroup_manager"] == "cgroupfs"
    assert written["containers"]["log_driver"] == "k8s-file"


def test_limits_that_cannot_be_raised_are_handed_on_as_they_are() -> None:
    written = tomllib.loads(podman.containers_conf(BARE, PATHS))

    assert written["containers"]["default_ulimits"] == ["nofile=20000:20000", "nproc=4096:4096"]


def test_images_are_kept_in_the_cache_and_running_state_is_not() -> None:
    written = tomllib.loads(podman.storage_conf(PATHS))["storage"]

    assert (written["graphroot"], written["runroot"]) == ("/c/containers", "/r/containers")


def test_the_configuration_is_written_once(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")

    assert podman.configure(GOOD, paths)
    assert not podman.configure(GOOD, paths)
    assert podman.configure(BARE, paths)


def test_what_was_running_before_the_machine_booted_is_forgotten(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")
    podman.configure(GOOD, paths)
    (paths.runtime / "libpod").mkdir()
    podman.configure(GOOD, paths)
    assert (paths.runtime / "libpod").exists()

    (paths.runtime / "boot_id").write_text("another boot\n")
    podman.configure(GOOD, paths)

    assert not (paths.runtime / "libpod").exists()
