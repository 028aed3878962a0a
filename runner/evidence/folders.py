"""Read folders of evidence, and write into them in one step."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from typing import TYPE_CHECKING

from runner.errors import InvalidRequest, Refused
from runner.evidence.manifest import HEAD, MANIFEST, SIGNATURE, Sealed, digest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".lock"
HALF = ".sealing."  # what a file is called until it is whole
OF_THE_CHAIN = frozenset({LOCK, HEAD})
OF_THE_SEAL = frozenset({MANIFEST, SIGNATURE})


def every(root: Path) -> list[Path]:
    """Return the folders of evidence below a root. Raises InvalidRequest when there is no such root."""
    if not root.is_dir():
        raise InvalidRequest(
            f"{root} is no folder; name the one with the evidence (UNDERSTUDY_EVIDENCE_DIR or --root)."
        )
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.is_symlink())


def strangers(root: Path) -> list[str]:
    """Name what lies beside the folders and is not of the chain."""
    named = (each.name for each in root.iterdir() if not each.is_dir() or each.is_symlink())
    return sorted(name for name in named if name not in OF_THE_CHAIN and not name.startswith(HALF))


def files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by its path, the seal's own left out.

    Raises Refused for what is neither a file nor a folder: evidence must be there when what it points to is gone.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or name in OF_THE_SEAL or name.startswith(HALF):
            continue
        if not stat.S_ISREG(mode):
            raise Refused(f"{folder.name}/{name} is no file; evidence is made of files alone: copy it, or remove it.")
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def sealed(folder: Path) -> Sealed | None:
    """Read a folder's manifest; None when there is none. Raises ValueError when it cannot be read."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    return Sealed(folder.name, read_manifest(content), digest(content))


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep others from sealing below the same root until the block is over."""
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def to_disk(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
