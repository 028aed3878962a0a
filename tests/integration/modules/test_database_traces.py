"""Dumps in clear and data directories are found whatever they are called and however packed; other files are not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.modules import database_traces

DUMP = b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("customers.sql", DUMP),
        ("holiday.jpg", b"PGDMP\x01\x0f\x00"),
        ("old.gz", gzip.compress(DUMP, mtime=0)),
        ("old.bz2", bz2.compress(DUMP)),
        ("old", lzma.compress(DUMP)),
    ],
    ids=["sql", "custom", "gzip", "bzip2", "xz"],  # the same in both processes that collect them
)
def test_a_dump_is_found(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert database_traces.search([str(tmp_path)], []) == ([], [str(tmp_path / name)], 1)


def test_other_files_are_none(tmp_path: Path) -> None:
    for name, content in {"a": b"Salted__" + DUMP, "b.sql": b"SELECT 1;", "c.gz": b"\x1f\x8bbroken", "d": b""}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to(tmp_path / "b.sql")
    os.mkfifo(tmp_path / "pipe")
    assert database_traces.search([str(tmp_path)], []) == ([], [], 4)


def test_a_data_directory_is_found_and_a_skipped_folder_is_not_looked_into(tmp_path: Path) -> None:
    for place in (tmp_path / "srv/data", tmp_path / "proc/data"):
        (place / "global").mkdir(parents=True)
        (place / "PG_VERSION").write_text("17\n")
    assert database_traces.search([str(tmp_path)], [str(tmp_path / "proc")]) == ([str(tmp_path / "srv/data")], [], 0)


def test_a_program_is_known_by_the_name_it_goes_by() -> None:
    command = ["bash", "-c", f"exec -a postgres {sys.executable} -c 'input()'"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        try:
            while "python" not in Path(f"/proc/{running.pid}/comm").read_text():
                assert running.poll() is None
            assert database_traces.programs()[running.pid] == "postgres"
        finally:
            running.kill()


def test_a_program_that_reads_of_one_is_none() -> None:
    with subprocess.Popen(["tail", "-f", "/dev/null", "--", "postgres"], stderr=subprocess.DEVNULL) as running:
        try:
            assert running.pid not in database_traces.programs()
        finally:
            running.kill()
