"""Load the programs that roles put on hosts: files of a role, in no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).resolve().parents[2] / "roles"


def load(role: str, name: str) -> ModuleType:
    """Import a role's program from /usr/local/sbin under its own name."""
    spec = importlib.util.spec_from_file_location(name, ROLES / role / f"files/usr/local/sbin/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
