"""Modules that ask the cloud run in Ansible's own process: with their task's environment, and with the same answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.plays import play

NOWHERE = {"ansible_python_interpreter": "/nowhere/python"}  # a module in a process of its own could not run
UNKNOWN_CLOUD = {"cloud": "moon", "known_hosts_file": "/nowhere/known_hosts", "state": "absent"}
SERVERS = [{"name": "cloud-burst1", "id": "1"}]


def burst(folder: Path, arguments: dict[str, Any], *options: str, **settings: Any) -> tuple[bool, dict[str, Any]]:
    """Run a play of module cloud_burst, with further settings of its task."""
    task = {"understudy.hybrid.cloud_burst": UNKNOWN_CLOUD | arguments, **settings}
    return play(folder, {"vars": NOWHERE, "tasks": [task]}, *options)


def test_it_asks_the_cloud_that_its_task_names(tmp_path: Path) -> None:
    clouds = tmp_path / "somewhere.yaml"  # the SDK would find ./clouds.yaml by itself
    auth = {"auth_url": "http://127.0.0.1:9", "username": "u", "password": "p", "project_name": "p"}
    clouds.write_text(json.dumps({"clouds": {"moon": {"auth": auth}}}), encoding="utf-8")

    ended_well, told = burst(tmp_path, {"servers": SERVERS}, environment={"OS_CLIENT_CONFIG_FILE": str(clouds)})
    assert not ended_well
    assert told["msg"].startswith("Cloud moon did not do what was asked: "), told
    assert "http://127.0.0.1:9" in told["msg"], told

    ended_well, told = burst(tmp_path, {"servers": SERVERS}, environment={"OS_CLIENT_CONFIG_FILE": "/nowhere"})
    assert not ended_well
    assert told["msg"] == (
        "Cloud moon cannot be asked: Cloud moon was not found. Its entry belongs into the clouds.yaml that "
        "OS_CLIENT_CONFIG_FILE names."
    )


def test_it_answers_as_every_module(tmp_path: Path) -> None:
    ended_well, told = burst(tmp_path, {"servers": []})
    assert (ended_well, told["changed"], told["servers"]) == (True, False, [])

    ended_well, told = burst(tmp_path, {"servers": SERVERS}, "--check")
    assert (ended_well, told["changed"]) == (True, True)

    ended_well, told = burst(tmp_path, {"servers": [], "state": "nonsense"})
    assert not ended_well
    assert told["msg"] == "value of state must be one of: building, serving, absent, got: nonsense"


@pytest.mark.parametrize("item", [{"become": True, "become_method": "ansible.builtin.su"}, {"connection": "ssh"}])
def test_as_another_user_or_elsewhere_it_is_run_as_every_module_is(tmp_path: Path, item: dict[str, Any]) -> None:
    ended_well, told = burst(tmp_path, {"servers": []}, **item)
    assert not ended_well
    assert "/nowhere/python" in json.dumps(told) or told.get("unreachable"), told


def by_name(folder: Path, task: dict[str, Any], *options: str) -> tuple[bool, dict[str, Any]]:
    """Run a play of another collection's module, named in its task."""
    return play(folder, {"vars": NOWHERE, "tasks": [{"understudy.hybrid.in_process": task}]}, *options)


def test_a_module_of_another_collection_is_named_in_the_task(tmp_path: Path) -> None:
    stat = {"module": "ansible.builtin.stat", "arguments": {"path": str(tmp_path), "checksum_algorithm": "{{ omit }}"}}
    ended_well, told = by_name(tmp_path, stat)
    assert (ended_well, told["stat"]["isdir"]) == (True, True)

    touch = {"module": "ansible.builtin.file", "arguments": {"path": f"{tmp_path}/new", "state": "touch"}}
    ended_well, told = by_name(tmp_path, touch, "--check")
    assert (ended_well, told["changed"], (tmp_path / "new").exists()) == (True, True, False)
    ended_well, told = by_name(tmp_path, touch)
    assert (ended_well, told["changed"], (tmp_path / "new").exists()) == (True, True, True)

    network = {"module": "openstack.cloud.network", "arguments": {"cloud": "moon", "name": "lan"}}
    ended_well, told = by_name(tmp_path, network)
    assert not ended_well
    assert "Cloud moon was not found." in told["msg"]


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ({"arguments": {}}, "module is None and arguments are {}; expected a name such as a.b.c and a mapping."),
        ({"module": "stat"}, "module is 'stat'"),
        ({"module": "ansible.builtin.stat", "arguments": "path=/"}, "arguments are 'path=/'"),
        ({"module": "understudy.hybrid.nothing"}, "There is no module understudy.hybrid.nothing: "),
    ],
)
def test_a_task_that_names_no_module_is_refused(tmp_path: Path, task: dict[str, Any], says: str) -> None:
    ended_well, told = by_name(tmp_path, task)
    assert not ended_well
    assert says in told["msg"]
