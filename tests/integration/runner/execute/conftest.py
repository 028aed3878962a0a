from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.execute.lease import Lease
from runner.execute.run import Executor
from tests.integration.runner.execute.project import Stage, environment, make_project, now


@pytest.fixture(scope="module", params=["ordinary", "preloaded"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root: Path = tmp_path_factory.mktemp(request.param)
    project = make_project(root / "project")
    (root / "home").mkdir()
    warm = project if request.param == "preloaded" else None
    executor = Executor(root / "state", now, environment(root / "home"), warm_project=warm, grace_seconds=0.5)
    assert executor.ready(30) == (warm is not None)
    yield Stage(project, root / "state", Lease(root / "state/lease"), executor)
    executor.close()
