"""A store on SQLite, rules, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.service.rules import Rules
from runner.store.engine import Store, open_store
from tests.unit.runner.policy.examples import policies


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


@pytest.fixture
def rules() -> Rules:
    return Rules("cloud", policies())
