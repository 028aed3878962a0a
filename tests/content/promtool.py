"""Prometheus' own checker: the machine's, or the one from Debian's package, unpacked below .cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.content import project

CACHE = project.ROOT / ".cache/promtool"


def promtool() -> str:
    """Return its path; fetch it once where it is not installed."""
    found = shutil.which("promtool")
    if found:
        return found
    if not (CACHE / "promtool").exists():
        _unpack()
    return str(CACHE / "promtool")


def _unpack() -> None:
    """Take it out of the package, without installing a service here."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        said = _apt("download", "prometheus", folder=folder)
        if not list(Path(folder).glob("*.deb")) and os.geteuid() == 0:
            # A fresh machine knows no packages yet.
            said += _apt("update", folder=folder) + _apt("download", "prometheus", folder=folder)
        packages = list(Path(folder).glob("prometheus_*.deb"))
        assert packages, f"promtool is not installed and cannot be fetched; apt-get install prometheus. {said}"
        subprocess.run(["dpkg-deb", "--extract", str(packages[0]), f"{folder}/files"], check=True)
        # In one step, so that two runs at once do not see half of it.
        os.replace(f"{folder}/files/usr/bin/promtool", CACHE / "promtool")  # noqa: PTH105 - a path and a string


def _apt(*arguments: str, folder: str) -> str:
    """Run apt-get; return what it complained of."""
    return subprocess.run(["apt-get", *arguments], cwd=folder, capture_output=True, text=True, check=False).stderr


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    """Run it; return its exit code and all that it said."""
    done = subprocess.run([promtool(), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
