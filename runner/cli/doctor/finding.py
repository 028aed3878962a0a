"""What a check found (pure but for looking at one file)."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OPEN_TO_OTHERS = 0o027  # the group may read, others nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `text`: what is there, or what is wrong and what to do."""

    name: str
    ok: bool
    text: str


def good(name: str, text: str) -> Finding:
    """Return a finding that is fine."""
    return Finding(name, ok=True, text=text)


def bad(name: str, text: str) -> Finding:
    """Return a problem."""
    return Finding(name, ok=False, text=text)


def trouble_with_secret(file: Path) -> str | None:
    """Say what is wrong with a file that holds a secret, or None: it must be readable, and others must not reach it."""
    try:
        mode = file.stat().st_mode & 0o777
    except FileNotFoundError:
        return f"There is no file {file}; put it there."
    except OSError as error:
        return f"{file} cannot be reached ({error.strerror}); check the folders above it."
    if mode & OPEN_TO_OTHERS:
        return f"{file} has mode {mode:04o}, so others reach it: chmod 0600 {file}."
    if not os.access(file, os.R_OK):
        return f"{file} cannot be read by this user (mode {mode:04o}); give it to the service's user or group."
    return None
