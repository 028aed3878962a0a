"""A side whose host comes into being in the middle of a drill is written on from then on, and again after a break."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lab.drills import writers
from lab.errors import LabError


def test_a_writer_begins_when_its_host_is_there_goes_on_after_a_break_and_ends_with_the_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = writers.Streams(tmp_path, (writers.OLD, writers.NEW))
    asked: list[bool] = []
    started: list[subprocess.Popen[bytes]] = []

    def exists(_lab: Any, host: str) -> bool:
        asked.append(host == writers.NEW)
        return len(asked) > 2

    def start(*_: Any) -> subprocess.Popen[bytes]:
        if len(asked) == 3:
            raise LabError("Its definition is gone for a moment.")
        started.append(subprocess.Popen(["sleep", "0.1" if not started else "60"]))
        return started[-1]

    monkeypatch.setattr(writers, "exists", exists)
    monkeypatch.setattr(writers, "_start_writer", start)
    monkeypatch.setattr(writers, "_LOOK_SECONDS", 0.02)
    streams.threads.append(threading.Thread(target=writers._write_when_there, args=(None, streams, writers.NEW)))
    streams.threads[0].start()
    deadline = time.monotonic() + 20
    while len(started) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert asked[:3] == [True, True, True]
    assert len(started) == 2
    streams.end()
    assert [each.returncode for each in started] == [0, -9]
    assert streams.threads == []
