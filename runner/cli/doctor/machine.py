"""Look at the machine: folders, memory, disk, database."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.doctor.finding import bad, good
from runner.errors import ExecutionError, StoreUnavailable
from runner.execute import scratch
from runner.store.engine import check_sqlite, open_store, sqlite_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.cli.doctor.finding import Finding

ENOUGH_DISK = 1024**3
ENOUGH_MEMORY = 64 * 1024**2
FOR_OTHERS = 0o007
SQLITE = "sqlite:///"


def mount_flags(folder: Path) -> int:
    """Return how a folder is mounted, as statvfs tells it."""
    return os.statvfs(folder).f_flag


def state_dir(folder: Path, user: int, flags: Callable[[Path], int] = mount_flags) -> Finding:
    """See that the state folder is there, belongs to this user, is closed to others, and may hold programs."""
    try:
        found = folder.stat()
    except OSError as error:
        made = f"install -d -m 0700 -o understudy {folder}"
        return bad("state folder", f"{folder} cannot be reached ({error.strerror}); make it: {made}.")
    if found.st_uid != user:
        who = _name(found.st_uid)
        return bad(
            "state folder", f"{folder} belongs to {who}; ask as that user: runuser -u {who} -- understudy doctor."
        )
    if found.st_mode & FOR_OTHERS:
        return bad(
            "state folder", f"{folder} has mode {found.st_mode & 0o777:04o}; others must not reach it: chmod 0700."
        )
    if flags(folder) & os.ST_NOEXEC:
        where = "inventories of jobs are kept there as scripts"
        return bad("state folder", f"{folder} is mounted noexec and {where}; mount it without, or choose another.")
    return good("state folder", str(folder))


def memory(state: Path, place: Path = scratch.MEMORY, enough: int = ENOUGH_MEMORY) -> Finding:
    """See that runs can have a private folder in memory for their secrets."""
    try:
        root = scratch.memory_root(state, place)
        free = shutil.disk_usage(root).free
    except (ExecutionError, OSError) as error:
        return bad("memory folder", str(error))
    with contextlib.suppress(OSError):
        root.rmdir()  # when nobody uses it
    if free < enough:
        return bad("memory folder", f"{place} has {free // 1024**2} MB left; runs need {enough // 1024**2}.")
    return good("memory folder", f"{place}, {free // 1024**2} MB left")


def disk(folder: Path, enough: int = ENOUGH_DISK) -> Finding:
    """See that there is room for alerts and for what runs tell."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    if free < enough:
        advice = "make room, or lower UNDERSTUDY_KEEP_MEGABYTES"
        return bad("disk", f"{folder} has {free // 1024**2} MB left, {enough // 1024**2} are wanted; {advice}.")
    return good("disk", f"{free // 1024**2} MB left")


def sqlite(version: tuple[int, ...] | None = None) -> Finding:
    """See that SQLite is new enough. `version`: another one than the one that is installed."""
    found = version or sqlite_module().sqlite_version_info
    try:
        check_sqlite(found)
    except StoreUnavailable as error:
        return bad("SQLite", str(error))
    return good("SQLite", ".".join(map(str, found)))


def store(url: str) -> Finding:
    """See that the store opens and can be written. An SQLite file that is not there is not made."""
    try:
        if url.startswith(SQLITE) and not (file := Path(url.removeprefix(SQLITE))).exists():
            return _store_to_be(file)
        opened = open_store(url, "understudy-doctor")
        try:
            with opened.write():
                pass
        finally:
            opened.close()
    except StoreUnavailable as error:
        return bad("store", str(error))
    return good("store", f"{url if url.startswith(SQLITE) else 'PostgreSQL'} can be written")


def _store_to_be(file: Path) -> Finding:
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return bad("store", f"{file} cannot be made: {file.parent} is not there or not writable by this user.")
    return good("store", f"{file} will be made at the first start")


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
