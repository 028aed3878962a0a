"""Mend podman's storage of the lab after a process of it was killed in the middle of a change."""

from __future__ import annotations

import fcntl
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab import mounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.paths import Paths

_LAYER = re.compile(r"[0-9a-f]{64}")


def containers(paths: Paths) -> list[str]:
    """Return the names of all containers in the storage, also of those that podman knows nothing of."""
    index = paths.graph_root / "overlay-containers" / "containers.json"
    return [str(name) for each in _entries(index) for name in each.get("names", ())]


def mend(paths: Paths) -> list[str]:
    """Remove the directories of layers that were never finished, and return their names.

    Their presence makes every later `podman create` fail. The storage's own lock is held meanwhile, so that a layer
    which another podman is about to make is not taken for one.
    """
    _forget_removed(paths)
    lock = paths.graph_root / "overlay-layers" / "layers.lock"
    directories = paths.graph_root / "overlay"
    if not lock.exists() or not directories.exists():
        return []
    with _held(lock):
        known = {str(each["id"]) for index in sorted(lock.parent.glob("*layers.json")) for each in _entries(index)}
        found = [each for each in directories.iterdir() if _LAYER.fullmatch(each.name) and each.name not in known]
        for directory in found:
            mounts.remove(directory)
    return sorted(each.name for each in found)


def remove(paths: Paths) -> None:
    """Remove the whole storage with its images, so that an interruption leaves either all of it or nothing in place."""
    mounts.release([paths.graph_root, paths.run_root])
    for directory in (paths.graph_root, paths.run_root, paths.runtime / "libpod"):
        if directory.exists():
            directory.rename(directory.with_name(f"{directory.name}.removed"))
            _forget_removed(paths)


def _forget_removed(paths: Paths) -> None:
    for parent in (paths.graph_root.parent, paths.run_root.parent):
        for directory in parent.glob("*.removed"):
            mounts.remove(directory)


def _entries(index: Path) -> list[dict[str, Any]]:
    if not index.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(index.read_text() or "[]")
    return entries


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    with lock.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield
