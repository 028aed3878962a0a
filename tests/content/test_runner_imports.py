"""The runner's rows of the table in docs/architecture.md: who may import whom, and who owns which library."""

from __future__ import annotations

import re

import pytest

from tests.content import project
from tests.content.test_sources import imports

ROW = re.compile(r"^\| `runner/(\w+)` \| ([^|]*) \|", re.MULTILINE)
TABLE = {
    name: set(re.findall(r"`(\w+)`", allowed))
    for name, allowed in ROW.findall((project.ROOT / "docs/architecture.md").read_text("utf-8"))
}
FILES = sorted(
    path
    for path in (project.ROOT / "runner").rglob("*.py")
    if path.name != "__init__.py" or path.parent.name != "runner"
)
OWNERS = {
    "ansible": {"execute"},
    "ansible_runner": {"execute"},
    "apprise": {"worker"},
    "croniter": {"worker"},
    "dbos": {"worker"},
    "fastapi": {"web"},
    "granian": {"cli"},
    "holidays": {"policy"},
    "httpx": {"cli"},
    "msgspec": {"payloads", "web"},
    "prometheus_client": {"web"},
    "pydantic_settings": {"settings"},
    "rich": {"cli"},
    "sqlalchemy": {"store", "service"},  # service only names the type of a connection
    "typer": {"cli"},
}


def unit_of(path: object) -> str:
    """Name the package or module of the table that a file belongs to."""
    return str(path).removeprefix(f"{project.ROOT}/runner/").split("/")[0].removesuffix(".py")


UNITS = sorted({unit_of(path) for path in FILES})


def used_by(unit: str) -> set[str]:
    return {name for path in FILES if unit_of(path) == unit for name in imports(path)}


@pytest.mark.parametrize("unit", UNITS)
def test_a_part_imports_only_what_its_row_allows(unit: str) -> None:
    assert unit in TABLE, f"runner/{unit} has no row in docs/architecture.md"
    used = {name.split(".")[1] for name in used_by(unit) if name.startswith("runner.")} & set(UNITS)
    assert used - TABLE[unit] - {unit} == set()


def test_the_table_has_no_rows_of_parts_that_are_gone() -> None:
    assert set(TABLE) - set(UNITS) == set()


@pytest.mark.parametrize("library", OWNERS)
def test_an_outside_library_has_one_owner(library: str) -> None:
    users = {unit for unit in UNITS if library in {name.split(".")[0] for name in used_by(unit)}}
    assert users <= OWNERS[library]
    assert users


def test_what_decides_neither_reads_nor_waits_nor_knows_the_time() -> None:
    acting = {"os", "socket", "subprocess", "time", "random", "secrets", "threading", "logging"}
    roots = {unit: {name.split(".")[0] for name in used_by(unit)} for unit in ("policy", "model", "actions")}
    assert {unit: found & acting for unit, found in roots.items() if found & acting} == {}
