"""What must never stand in a file of this project, and what each file must say."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.content import project

REGISTRY = re.compile(
    r"https?://[a-z0-9.-]*(debian|pypi|python|npmjs|pythonhosted|galaxy\.ansible)[a-z]*\.(org|com|io)", re.IGNORECASE
)
PYTHON = [path for path in project.tracked() if path.suffix == ".py"]


def imports(path: Path) -> set[str]:
    """Name the modules that a file imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_file_names_a_registry() -> None:
    named = [
        name
        for name, text in project.texts(
            ".py", ".yml", ".yaml", ".sh", ".md", ".cfg", ".toml", ".in", ".lock", ".j2", ".txt", ""
        )
        if REGISTRY.search(text) and not name.startswith("LICENSES/")
    ]
    assert named == []


def test_no_file_names_the_folder_it_was_written_in() -> None:
    here = str(project.ROOT) + "/"
    named = [
        name
        for name, text in project.texts(".py", ".yml", ".yaml", ".sh", ".md", ".cfg", ".toml", ".in", ".lock", ".j2")
        if here in text
    ]
    assert named == []


def test_files_that_import_ansible_are_gpl_and_say_so() -> None:
    silent = [
        project.relative(path)
        for path in PYTHON
        if any(name == "ansible" or name.startswith("ansible.") for name in imports(path))
        and "SPDX-License-Identifier: GPL-3.0-or-later"
        not in "\n".join(path.read_text(encoding="utf-8").splitlines()[:3])
    ]
    assert silent == []


def test_pure_modules_import_neither_ansible_nor_anything_that_acts() -> None:
    acting = {"ansible", "openstack", "requests", "socket", "subprocess", "os"}
    offences = [
        f"{project.relative(path)}: {sorted(roots)}"
        for path in PYTHON
        if "\nPure: " in path.read_text(encoding="utf-8")
        and (roots := {name.split(".")[0] for name in imports(path)} & acting)
    ]
    assert offences == []


@pytest.mark.parametrize("path", PYTHON, ids=[project.relative(path) for path in PYTHON])
def test_python_files_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


def test_functions_stay_readable() -> None:
    long = [
        f"{project.relative(path)}:{node.name} ({length} lines)"
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > (60 if "tests" in path.parts else 45)
    ]
    assert long == []


def test_skipped_tests_and_ignored_warnings_carry_a_reason() -> None:
    bare = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)* +\S)|#\s*type:\s*ignore(?!\[)")
    offences = [
        f"{name}:{number}"
        for name, text in project.texts(".py")
        for number, line in enumerate(text.splitlines(), 1)
        if bare.search(line)
    ]
    assert offences == []


def test_every_setting_of_ansible_says_why() -> None:
    lines = (project.ROOT / "ansible.cfg").read_text(encoding="utf-8").splitlines()
    bare = [line for before, line in pairwise(lines) if re.match(r"\w+ = ", line) and not before.startswith("#")]
    assert bare == []
