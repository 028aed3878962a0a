"""A bench of workers on each of the databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.store.engine import Store, open_store
from tests.integration.runner.worker.workers import Bench


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, f"sqlite:///{tmp_path}/store.db")
    yield bench
    bench.stop_all()


@pytest.fixture
def postgresql_bench(tmp_path: Path, postgresql_url: str) -> Iterator[Bench]:
    bench = Bench(tmp_path, postgresql_url)
    yield bench
    bench.stop_all()
