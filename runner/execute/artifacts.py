"""Keep what a run said, scrubbed and capped: `output` (text) and `events.jsonl`. Nothing else is kept of a run."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from runner.execute.request import PlaybookEvent
    from runner.execute.scrub import Scrub

log = logging.getLogger("runner.execute")
# Colours and cursor movements are for terminals.
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Artifacts:
    """Writes the two files of one attempt. Lines of output are whole events, so no secret is cut in two."""

    def __init__(self, folder: Path, limit_bytes: int, scrub: Scrub) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._scrub = scrub
        self._written = 0
        self._output = _private(folder / "output")
        self._events = _private(folder / "events.jsonl")
        self._events_written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._output.close()
        self._events.close()

    def output(self, text: str) -> None:
        """Append output until the limit is reached; then one line says so and the rest is dropped."""
        if not text or self._written >= self._limit:
            return
        line = self._scrub(CONTROL.sub("", text)).replace("\r\n", "\n").encode() + b"\n"
        room = self._limit - self._written
        if len(line) > room:
            line = line[:room] + f"\nThe output was cut here, at {self._limit} bytes.\n".encode()
        self._written += len(line)
        self._append(self._output, line)

    def event(self, event: PlaybookEvent) -> None:
        """Append an event (scrubbed already), under the same limit."""
        line = json.dumps(dataclasses.asdict(event) | {"at": event.at.isoformat()}, ensure_ascii=False).encode() + b"\n"
        if self._events_written + len(line) > self._limit:
            return
        self._events_written += len(line)
        self._append(self._events, line)

    def _append(self, file: IO[bytes], line: bytes) -> None:
        """Write a line; on a full disk stop keeping, not running."""
        try:
            file.write(line)
        except OSError as error:
            self._limit = 0
            log.warning("event=artifacts_lost folder=%s error=%s", self._folder, error.strerror)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)
