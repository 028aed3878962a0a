"""The customers' own memory: one JSON line per confirmed booking, on disk before the customer counts it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

from booking.crowd.errors import CrowdError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A booking as it was confirmed to a customer; `at` is RFC 3339 in UTC, `longest_wait_s` as in Booking."""

    at: str
    booking_number: str
    idempotency_key: str
    screening_id: int
    seats: tuple[str, ...]
    amount_won: int
    contact: str
    edge: str
    server: str
    longest_wait_s: float = 0.0  # journals of earlier crowds do not have it


def read(path: Path) -> list[Entry]:
    """Read a journal; CrowdError names the line that is none.

    A last line without its end was never counted by its customer (the crowd died while it wrote) and is left out.
    """
    *lines, _ = path.read_bytes().split(b"\n")
    return [_parse(path, number, line) for number, line in enumerate(lines, 1)]


def _parse(path: Path, number: int, line: bytes) -> Entry:
    try:
        document = json.loads(line)
        return Entry(**document | {"seats": tuple(document["seats"])})
    except (ValueError, TypeError, KeyError) as error:
        raise CrowdError(f"{path}, line {number}: {line[:80]!r} is no journal entry ({error}).") from error


class Journal:
    """Appends entries; one thread writes, and one fsync covers all that came in while the last one ran."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)

    async def __aenter__(self) -> Self:
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open(self._path)
            self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._path:
            with self._news:
                self._closing = True
                self._news.notify()
            await asyncio.to_thread(self._thread.join)
            self._file.close()

    async def write(self, entry: Entry) -> None:
        """Return when the entry is on the disk; OSError when it cannot be."""
        if self._path is None:
            return
        line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
        written = asyncio.get_running_loop().create_future()
        with self._news:
            self._waiting.append((line, written))
            self._news.notify()
        await written

    def _write_all(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closing)
                batch, self._waiting = self._waiting, []
            if not batch:
                return
            cause: OSError | None = None
            try:
                self._file.write(b"".join(line for line, _ in batch))
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                cause = error
            for _, written in batch:
                written.get_loop().call_soon_threadsafe(_settle, written, cause)


def _open(path: Path) -> BinaryIO:
    """Open a journal for this process alone and cut off a last line that was never finished."""
    file = path.open("ab+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise CrowdError(f"{path} is another crowd's journal right now; give each its own with --journal.") from error
    if path.is_file():
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
    return file


def _settle(written: asyncio.Future[None], cause: OSError | None) -> None:
    if written.done():
        return
    if cause:
        written.set_exception(cause)
    else:
        written.set_result(None)
