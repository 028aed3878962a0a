"""`ACCELERATE=1` runs playbooks through mitogen, from make and from the lab's commands, and they come to the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab import building
from tests.integration.modules.plays import play

ROOT = Path(__file__).resolve().parents[2]


def settings_of_make(*words: str) -> dict[str, str]:
    """Return the settings of Ansible that make adds to the environment of a target's commands."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "ACCELERATE"))}
    make = ["make", "--no-print-directory", "--eval", "environment: ; @env", "environment", *words]
    done = subprocess.run(make, cwd=ROOT, env=clean, capture_output=True, text=True, check=True)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return {name: value for name, value in told.items() if name.startswith("ANSIBLE_")}


def recorded(folder: Path, **settings: str) -> tuple[dict[str, Any], str]:
    """Let a task write down which process runs it; return what the task told, and what was written."""
    folder.mkdir()
    command = {"argv": ["sh", "-c", "tr '\\0' ' ' < /proc/$PPID/cmdline > who; echo done"], "chdir": str(folder)}
    task = {"name": "Say who runs this", "ansible.builtin.command": command}
    succeeded, told = play(folder, {"tasks": [task]}, **settings)
    same = {name: told.get(name) for name in ("changed", "rc", "stdout", "stderr", "cmd", "failed")}
    return {"succeeded": succeeded, **same}, (folder / "who").read_text()


def test_a_playbook_comes_to_the_same_through_mitogen_as_without(tmp_path: Path) -> None:
    assert settings_of_make() == {}
    ordinary, process = recorded(tmp_path / "ordinary", ANSIBLE_STRATEGY="linear")
    assert "mitogen:" not in process
    accelerated, process = recorded(tmp_path / "accelerated", **settings_of_make("ACCELERATE=1"))
    assert "mitogen:" in process, "the setting was not heard"
    assert (ordinary["succeeded"], ordinary["stdout"]) == (True, "done")
    assert accelerated == ordinary


def test_the_labs_own_playbooks_are_accelerated_as_those_of_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACCELERATE", raising=False)
    assert building._accelerator() == {}
    monkeypatch.setenv("ACCELERATE", "1")
    of_lab, of_make = building._accelerator(), settings_of_make("ACCELERATE=1")
    assert of_lab["ANSIBLE_STRATEGY"] == of_make["ANSIBLE_STRATEGY"] == "mitogen_linear"
    assert Path(of_lab["ANSIBLE_STRATEGY_PLUGINS"]).samefile(of_make["ANSIBLE_STRATEGY_PLUGINS"])
