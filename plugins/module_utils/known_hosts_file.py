"""Read and replace a known_hosts file, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import ssh_known_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read(path: Path) -> list[str]:
    """Return the lines of the file, none when there is no file."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def change(path: Path, edit: Callable[[list[str]], list[str]]) -> bool:
    """Replace the lines by what `edit` makes of them, in one step; tell whether they are others now."""
    with _alone(path):
        before = read(path)
        after = edit(before)
        if after != before:
            _write(path, after)
    return after != before


def remember(path: Path, names: list[str], keys: list[str], server_id: str) -> bool:
    """Record a server's keys under its names in place of what was there; tell whether that is something new."""
    new = ssh_known_hosts.entries(names, keys, server_id)
    return change(path, lambda lines: ssh_known_hosts.without(lines, set(names), set()) + new)


def forget(path: Path, names: set[str], server_ids: set[str]) -> bool:
    """Drop the entries of these names and servers; tell whether there were any."""
    return change(path, lambda lines: ssh_known_hosts.without(lines, names, server_ids))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # The same lock as whoever builds the lab takes (lab/keys.py).
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, lines: list[str]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))
        os.fchmod(stream.fileno(), 0o644)
    if path.exists():
        owner = path.stat()
        os.chown(temporary, owner.st_uid, owner.st_gid)
    Path(temporary).replace(path)
