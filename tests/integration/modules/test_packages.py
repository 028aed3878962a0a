"""Module `packages` on this machine, through ansible-playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.plays import play


def run(folder: Path, names: list[str], *arguments: str) -> tuple[bool, dict[str, Any]]:
    """Run the module; return whether the play succeeded and what the task returned."""
    task = {"name": "Install", "understudy.hybrid.packages": {"name": names, "policy_rc_d": 101}}
    return play(folder, {"tasks": [task]}, *arguments)


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
