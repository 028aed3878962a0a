"""Module `packages` on this machine, through ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml


def run(folder: Path, names: list[str], *arguments: str) -> tuple[bool, dict[str, Any]]:
    """Run the module; return whether the play succeeded and what the task returned."""
    task = {"name": "Install", "understudy.hybrid.packages": {"name": names, "policy_rc_d": 101}}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]
    (folder / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ninterpreter_python = {sys.executable}\n", encoding="utf-8")
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    done = subprocess.run(
        ["ansible-playbook", "--inventory", "localhost,", *arguments, "play.yml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "{" in done.stdout, done.stdout + done.stderr
    told = json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return done.returncode == 0, told


def test_packages_that_are_there_are_not_asked_of_apt(tmp_path: Path) -> None:
    ok, told = run(tmp_path, ["dpkg", "coreutils"])
    assert ok
    assert (told["changed"], told["missing"]) == (False, [])
    assert "cache_updated" not in told  # which apt always says


@pytest.mark.parametrize("mode", ["--check", "--diff"])
def test_what_apt_does_not_know_fails_with_its_name(tmp_path: Path, mode: str) -> None:
    ok, told = run(tmp_path, ["dpkg", "no-such-package"], mode)
    assert not ok
    assert "no-such-package" in told["msg"]
    assert told["missing"] == ["no-such-package"]
