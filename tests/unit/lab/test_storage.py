from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab import storage
from lab.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

FINISHED, UNFINISHED = "a" * 64, "b" * 64


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Return the storage of a podman that was killed while it made a layer."""
    found = Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")
    for name in (FINISHED, UNFINISHED, "l"):
        (found.graph_root / "overlay" / name).mkdir(parents=True)
    index = found.graph_root / "overlay-layers"
    index.mkdir()
    (index / "layers.lock").touch()
    (index / "layers.json").write_text(json.dumps([{"id": FINISHED}]))
    return found


def test_a_layer_that_was_never_finished_is_removed_and_nothing_else(paths: Paths) -> None:
    assert storage.mend(paths) == [UNFINISHED]

    assert sorted(path.name for path in (paths.graph_root / "overlay").iterdir()) == [FINISHED, "l"]
    assert storage.mend(paths) == []


def test_a_storage_that_is_not_there_needs_no_mending(tmp_path: Path) -> None:
    assert storage.mend(Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")) == []


def test_a_removal_that_was_interrupted_is_finished_the_next_time(paths: Paths) -> None:
    paths.graph_root.rename(paths.graph_root.with_name("containers.removed"))

    storage.mend(paths)

    assert list(paths.cache.iterdir()) == []


def test_containers_are_listed_also_where_podman_does_not_know_them(paths: Paths) -> None:
    index = paths.graph_root / "overlay-containers"
    index.mkdir()
    (index / "containers.json").write_text(json.dumps([{"id": "1", "names": ["colo-gw1.unfinished"]}, {"id": "2"}]))

    assert storage.containers(paths) == ["colo-gw1.unfinished"]
