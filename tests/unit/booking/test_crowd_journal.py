"""A confirmed booking is on disk before its customer counts it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import resource
import threading
from pathlib import Path

import pytest
from booking.crowd.errors import CrowdError
from booking.crowd.journal import Entry, Journal, read

ENTRY = Entry(
    "2026-12-24T18:00:00+00:00", "K7Q2", "k" * 32, 5, ("A1", "A2"), 30_000, "김@example.com", "192.0.2.1", "was1"
)


async def _write(path: Path | None, *entries: Entry) -> None:
    async with Journal(path) as journal:
        await asyncio.gather(*map(journal.write, entries))


def test_what_is_written_is_read_again_and_runs_append(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal"
    entries = [dataclasses.replace(ENTRY, booking_number=str(number)) for number in range(200)]
    asyncio.run(_write(path, *entries))
    asyncio.run(_write(path, ENTRY))
    assert read(path) == [*entries, ENTRY]


def test_an_entry_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    async def check() -> list[Entry]:
        async with Journal(tmp_path / "journal") as journal:
            await journal.write(ENTRY)
            return read(tmp_path / "journal")

    assert asyncio.run(check()) == [ENTRY]


class SlowDisk:
    """An os.fsync that ends when it is allowed to; `kept` is what each one began with: the file and its size."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, int]] = []
        self.asked = threading.Semaphore(0)
        self.allowed = threading.Semaphore(0)

    def fsync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self.kept.append((found.st_ino, found.st_size))
        self.asked.release()
        assert self.allowed.acquire(timeout=30)


async def _turns() -> None:
    """Let everything that is ready to go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_write_returns_no_sooner_than_the_disk_has_the_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, disk = tmp_path / "journal", SlowDisk()
    monkeypatch.setattr(os, "fsync", disk.fsync)

    async def asked() -> None:
        assert await asyncio.to_thread(disk.asked.acquire, timeout=5), "the disk was not asked to keep it"

    async def check() -> None:
        async with Journal(path) as journal:
            first = asyncio.create_task(journal.write(ENTRY))
            await asked()
            second = asyncio.create_task(journal.write(ENTRY))
            await _turns()
            assert not first.done()
            disk.allowed.release()
            await asked()  # what came in meanwhile is kept by an fsync of its own
            await _turns()
            assert (first.done(), second.done()) == (True, False)
            disk.allowed.release()
            await second

    asyncio.run(check())
    size, file = path.stat().st_size, path.stat().st_ino
    assert disk.kept == [(file, size // 2), (file, size)]


def test_a_line_that_was_never_finished_is_left_out_and_the_next_run_does_not_glue_to_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    asyncio.run(_write(path, ENTRY))
    with path.open("ab") as file:
        file.write(b'{"at": "2026')
    assert read(path) == [ENTRY]
    asyncio.run(_write(path, ENTRY))
    assert read(path) == [ENTRY, ENTRY]


@pytest.mark.parametrize("line", [b"rubbish", b"{}", b"[]", b"\xff", b""])
def test_a_finished_line_that_is_no_entry_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal"
    asyncio.run(_write(path, ENTRY))
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(CrowdError, match="line 2"):
        read(path)


def test_two_crowds_do_not_share_a_journal(tmp_path: Path) -> None:
    async def check() -> None:
        async with Journal(tmp_path / "journal"):
            await _write(tmp_path / "journal", ENTRY)

    with pytest.raises(CrowdError, match="another crowd's journal"):
        asyncio.run(check())


def test_a_disk_that_takes_no_more_is_an_error_and_not_a_booking(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            asyncio.run(_write(tmp_path / "journal", ENTRY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_without_a_file_nothing_is_kept() -> None:
    asyncio.run(_write(None, ENTRY))
