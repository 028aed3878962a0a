"""Killed at any step, or with many at once: a folder is sealed or not, and there is one chain."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.evidence import folders, sealing, verifying
from runner.evidence.manifest import Kind
from runner.evidence.signing import Signer, Signers
from tests.integration.runner.evidence.archive import NOW, Archive


def test_many_that_seal_at_once_make_one_chain(archive: Archive) -> None:
    names = [f"drill-{number}" for number in range(4)]
    for name in names:
        archive.write(name)

    def seal(name: str) -> int:
        command = ["evidence", "seal", str(archive.root / name), "--kind", "drill"]
        done = subprocess.run(
            [sys.executable, "-m", "runner.cli", *command], env=os.environ | archive.environment(), check=False
        )
        return done.returncode

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(seal, names)) == [0] * len(names)
    assert archive.verify()[0] == 0
    rows = json.loads(archive.run("list", "--json")[1])
    assert [row["number"] for row in rows] == list(range(1, 8))


def dying(step: int, folder: Path, key: Path) -> None:
    """Seal a folder, and die by kill -9 before the step of this number; in a process of its own."""
    left = itertools.count(step, -1)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **more: Any) -> Any:
            if next(left) <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **more)

        return act

    for name in ("rename", "write_bytes", "chmod", "unlink"):
        setattr(Path, name, counted(getattr(Path, name)))
    os.fsync = counted(os.fsync)
    sealing.seal(folder, Kind.DRILL, Signer(key), NOW)


def test_killed_at_any_step_it_leaves_the_folder_sealed_or_not_and_the_next_one_finishes(archive: Archive) -> None:
    signers = Signers(archive.keys / "signers")
    killed = 0
    for step in range(60):
        archive.root = archive.keys.parent / f"step-{step}"
        first, folder = archive.write("drill-1"), archive.write("drill-2")
        sealing.seal(first, Kind.DRILL, Signer(archive.keys / "ours"), NOW)
        process = multiprocessing.get_context("fork").Process(target=dying, args=(step, folder, archive.keys / "ours"))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
        found = [each.sentence for each in verifying.verify(archive.root, [], signers)]
        assert [sentence for sentence in found if "drill-2 is not sealed" not in sentence] == [], f"at step {step}"
        sealing.seal(folder, Kind.DRILL, Signer(archive.keys / "ours"), NOW + timedelta(minutes=1))
        assert verifying.verify(archive.root, [], signers) == [], f"at step {step}"
        assert list(archive.root.rglob(".sealing.*")) == []
    assert 10 < killed < 60


@pytest.fixture
def busy(archive: Archive) -> Iterator[Archive]:
    """Somebody is sealing and does not come to an end."""
    with folders.locked(archive.root):
        yield archive


def test_who_seals_waits_for_who_is_sealing(busy: Archive) -> None:
    busy.write("drill-2")
    command = [sys.executable, "-m", "runner.cli", "evidence", "seal", str(busy.root / "drill-2"), "--kind", "drill"]
    with subprocess.Popen(command, env=os.environ | busy.environment(), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not waits_for_lock(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert waits_for_lock(process.pid)
        assert not (busy.root / "drill-2/manifest.json").exists()
        process.kill()


def waits_for_lock(pid: int) -> bool:
    """Tell whether a process waits for a lock (proc(5), locks: such a line has an arrow)."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f" {pid} " in line for line in lines)
