"""The project's files, read as data."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLE_ROOTS = (ROOT / "roles",)


class _Tolerant(yaml.SafeLoader):
    """Reads Ansible's own tags (!vault, !unsafe) as plain values."""


_Tolerant.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


def load(path: Path) -> Any:
    """Parse a YAML file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Tolerant)  # noqa: S506 - a SafeLoader


@cache
def tracked() -> tuple[Path, ...]:
    """List the files that belong to the project: tracked by git, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return tuple(path for name in listed if (path := ROOT / name).is_file())


def relative(path: Path) -> str:
    """Name a file as a person would."""
    return str(path.relative_to(ROOT))


def texts(*suffixes: str, under: str = "") -> list[tuple[str, str]]:
    """Return (name, text) of the tracked files with these suffixes below a folder."""
    return [
        (relative(path), path.read_text(encoding="utf-8"))
        for path in tracked()
        if path.suffix in suffixes and relative(path).startswith(under)
    ]


def roles() -> list[Path]:
    """List the product's role folders."""
    return sorted(path for root in ROLE_ROOTS for path in root.iterdir() if (path / "tasks").is_dir())


def tasks_of(document: Any) -> list[dict[str, Any]]:
    """Flatten a tasks file or playbook into its tasks, blocks included."""
    found: list[dict[str, Any]] = []
    for entry in document or []:
        if not isinstance(entry, dict):
            continue
        nested = [
            key for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers") if key in entry
        ]
        for key in nested:
            found += tasks_of(entry[key])
        if not nested or "block" in entry:
            found.append(entry)
    return found
