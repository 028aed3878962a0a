"""Lists of servers on disk: the last good one of every cloud, and the format that Ansible's cache shares."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from .entries import Entry
from .errors import RefusedValueError
from .networks import read_address
from .servers import Server, Snapshot

VERSION = 1
SERVER_TEXTS = ("id", "name", "status", "flavor", "image", "created", "availability_zone")
UNSAFE_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9_-]")


def snapshot_to_data(snapshot: Snapshot) -> dict[str, object]:
    """Give a snapshot as data that JSON can hold."""
    return {
        "version": VERSION,
        "cloud": snapshot.cloud,
        "identity": snapshot.identity,
        "fetched_at_epoch_seconds": snapshot.fetched_at_epoch_seconds,
        "servers": [
            {
                **{name: getattr(server, name) for name in SERVER_TEXTS},
                "addresses": [address.text for address in server.addresses],
                "metadata": dict(server.metadata),
            }
            for server in snapshot.servers
        ],
    }


def snapshot_from_entry(entry: Entry) -> Snapshot:
    """Read a snapshot from data; raises RefusedValueError for the first thing that is wrong."""
    found = entry.fields(("version", "cloud", "identity", "fetched_at_epoch_seconds", "servers"))
    if found["version"].value != VERSION:
        found["version"].refuse(f"{VERSION}, the version this plugin writes")
    fetched_at = found["fetched_at_epoch_seconds"]
    if not isinstance(fetched_at.value, int) or isinstance(fetched_at.value, bool):
        fetched_at.refuse("whole seconds since 1970")
    return Snapshot(
        cloud=found["cloud"].text(),
        identity=found["identity"].text(),
        fetched_at_epoch_seconds=fetched_at.value,
        servers=tuple(_server_from_entry(each) for each in found["servers"].items()),
    )


def young_snapshots(entry: Entry, now_epoch_seconds: float, oldest_seconds: int) -> dict[str, Snapshot]:
    """Read the snapshots of a cache by identity, without those older than the limit (0: no limit).

    A cache that cannot be read is an empty cache: whoever asks it then asks the clouds.
    """
    try:
        found = [snapshot_from_entry(each) for each in entry.items()]
    except RefusedValueError:
        return {}
    return {
        each.identity: each
        for each in found
        if not oldest_seconds or each.age_seconds(now_epoch_seconds) <= oldest_seconds
    }


def _server_from_entry(entry: Entry) -> Server:
    found = entry.fields((*SERVER_TEXTS, "addresses", "metadata"))
    for name in SERVER_TEXTS:
        if not isinstance(found[name].value, str):
            found[name].refuse("text")
    metadata = found["metadata"].mapping()
    for value in metadata.values():
        if not isinstance(value.value, str):
            value.refuse("text")
    texts = {name: str(found[name].value) for name in SERVER_TEXTS}
    return Server(
        addresses=tuple(read_address(each) for each in found["addresses"].items()),
        metadata={key: str(each.value) for key, each in metadata.items()},
        **texts,
    )


def last_good_file(directory: Path, cloud: str, identity: str) -> Path:
    """Name the file of a cloud's last good list."""
    return directory / f"{UNSAFE_IN_FILE_NAME.sub('_', cloud)}-{identity}.json"


def write_last_good(directory: Path, snapshot: Snapshot) -> None:
    """Replace the last good list of a cloud in one step; readers see the old one or the new one.

    Raises OSError when the disk refuses.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = last_good_file(directory, snapshot.cloud, snapshot.identity)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(snapshot_to_data(snapshot), ensure_ascii=False))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    _fsync_directory(directory)


def _fsync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_last_good(directory: Path, cloud: str, identity: str) -> Snapshot | None:
    """Read the last good list of a cloud; None when there is none.

    Raises RefusedValueError when the file is broken or of another cloud, OSError when it cannot be read.
    """
    file = last_good_file(directory, cloud, identity)
    try:
        content = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    try:
        data = json.loads(content)
    except ValueError as error:
        Entry(str(file), f"the whole file ({error})", content).refuse(
            "a list that this plugin wrote; remove the file once the cloud answers again"
        )
    snapshot = snapshot_from_entry(Entry(str(file), "", data))
    for key, found, wanted in (("cloud", snapshot.cloud, cloud), ("identity", snapshot.identity, identity)):
        if found != wanted:
            Entry(str(file), key, found).refuse(f"{wanted!r}")
    return snapshot
