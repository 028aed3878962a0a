"""The table in docs/architecture.md is the law: who may import whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.content import project
from tests.content.test_sources import imports

ROW = re.compile(r"^\| `lab/(\w+)` \| ([^|]*) \|", re.MULTILINE)
TABLE = {
    name: set(re.findall(r"`(\w+)`", allowed))
    for name, allowed in ROW.findall((project.ROOT / "docs/architecture.md").read_text("utf-8"))
}
MODULES = sorted(path for path in (project.ROOT / "lab").glob("*.py") if path.stem not in {"__init__", "__main__"})
PACKAGES = sorted(path.parent for path in (project.ROOT / "lab").glob("*/__init__.py"))
UNITS = [*MODULES, *PACKAGES]
OWNERS = {"pyroute2": {"links"}, "openstack": {"cloud_content"}, "typer": {"cli"}, "rich": {"cli"}}


def used_by(unit: Path) -> set[str]:
    """Name what a module imports, or all of a package's modules."""
    return {name for path in (unit.glob("*.py") if unit.is_dir() else [unit]) for name in imports(path)}


@pytest.mark.parametrize("path", UNITS, ids=[path.stem for path in UNITS])
def test_a_module_imports_only_what_its_row_allows(path: Path) -> None:
    assert path.stem in TABLE, f"lab/{path.stem} has no row in docs/architecture.md"
    used = {name.split(".")[1] for name in used_by(path) if name.startswith("lab.")}
    siblings = {unit.stem for unit in UNITS}
    assert (used & siblings) - TABLE[path.stem] - {path.stem} == set()


def test_the_table_has_no_rows_of_modules_that_are_gone() -> None:
    assert set(TABLE) - {path.stem for path in UNITS} == set()


@pytest.mark.parametrize("library", OWNERS)
def test_an_outside_library_has_one_owner(library: str) -> None:
    users = {path.stem for path in UNITS if library in {name.split(".")[0] for name in used_by(path)}}
    assert users == OWNERS[library]
