"""Write files in one step, so that an interruption leaves none of them half."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_same(path: Path, text: str, mode: int) -> bool:
    """Tell whether the file has this text and mode."""
    return path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == mode


def replace_text(path: Path, text: str, mode: int) -> bool:
    """Write a file, whole or not at all; return whether anything changed."""
    if is_same(path, text, mode):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.chmod(mode)
    unfinished.replace(path)
    return True
