"""A store on SQLite alone, where the database makes no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.store.engine import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()
