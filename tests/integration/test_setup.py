"""`make setup` makes the environment anew when a lock file changed, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what setup reads."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "LICENSES", tmp_path / "LICENSES")
    shutil.copytree(ROOT / "booking", tmp_path / "booking")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/__init__.py").touch()
    return tmp_path


def setup(tree: Path) -> str:
    """Run setup as a person does who has activated the environment of this tree."""
    env = os.environ | {"PATH": f"{tree}/.venv/bin:{os.environ['PATH']}"}
    done = subprocess.run(["requirements/setup.sh"], cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_setup_is_quick_the_second_time_and_survives_its_own_environment(tree: Path) -> None:
    assert "making .venv" in setup(tree)
    assert "nothing to do" in setup(tree)
    with (tree / "requirements/bootstrap.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert "making .venv" in setup(tree), "not made anew while the old one is activated"
    assert (tree / ".venv/bin/lab").exists()
    assert (tree / ".venv/bin/booking").exists()
