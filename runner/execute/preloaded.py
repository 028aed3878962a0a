"""Keep one preloaded Ansible per project at hand, and a fresh one when the project's plugins changed."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
BOOT = (
    f"import sys,runpy;sys.path.insert(0,{str(ROOT)!r});sys.argv=['preload',*sys.argv[1:]];"
    "runpy.run_module('runner.execute.preload',run_name='__main__')"
)
RUNS_PER_PROCESS = 500
PLUGIN_FOLDERS = ("plugins", "library", "module_utils", "filter_plugins", "callback_plugins", "action_plugins")
log = logging.getLogger("runner.execute")


def fingerprint(project: Path) -> tuple[tuple[str, int], ...]:
    """Return what a preloaded process depends on: the project's settings and plugins with their times of change."""
    files = [project / "ansible.cfg"]
    for folder in PLUGIN_FOLDERS:
        files += sorted((project / folder).rglob("*.py"))
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())


class Preloaded:
    """One preloaded process. Runs that go on outlive it; while none is ready, runs start the ordinary way."""

    def __init__(self, project: Path, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder`: private, for the socket. `environment`: the same settings that every run gets."""
        self._project = project
        self._folder = folder
        # Only with a folder do ansible-runner's callbacks prepare to write; each run sets its own.
        self._environment = {**environment, "AWX_ISOLATED_DATA_DIR": "/nonexistent"}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = threading.Event()
        self._seen: tuple[tuple[str, int], ...] = ()
        self._runs = 0
        self._number = 0

    def address(self, project: Path) -> str:
        """Return the socket for a run of a project, or "-" when the run must start the ordinary way."""
        if project.resolve() != self._project.resolve():
            return "-"
        with self._lock:
            self._runs += 1
            gone = self._process is None or self._process.poll() is not None
            if gone or self._runs > RUNS_PER_PROCESS or fingerprint(self._project) != self._seen:
                self._start()
            return str(self._socket()) if self._ready.is_set() else "-"

    def start(self, wait_seconds: float = 0.0) -> bool:
        """Start it now and wait for it. Returns whether it is ready."""
        with self._lock:
            if self._process is None:
                self._start()
        return self._ready.wait(wait_seconds)

    def close(self) -> None:
        """End it. Runs that go on are not touched."""
        with self._lock:
            self._end()

    def process_id(self) -> int | None:
        """Return its process id, for measuring."""
        return self._process.pid if self._process else None

    def _socket(self) -> Path:
        return self._folder / f"preload-{os.getpid()}-{self._number}"

    def _start(self) -> None:
        self._end()
        self._number += 1
        self._runs = 0
        self._seen = fingerprint(self._project)
        self._ready = threading.Event()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", BOOT, str(self._socket())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._project,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ExecutionError(f"Python cannot be started at {sys.executable}: {error}.") from error
        threading.Thread(target=_announce, args=(self._process, self._ready), daemon=True).start()

    def _end(self) -> None:
        process, self._process = self._process, None
        self._ready.clear()
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._socket().unlink(missing_ok=True)


def _announce(process: subprocess.Popen[bytes], ready: threading.Event) -> None:
    if process.stdout is None:  # it was asked for
        return
    with process.stdout as output:
        if output.readline() == b"ready\n":
            ready.set()
            log.info("event=preload_ready process=%d", process.pid)
        else:
            log.warning("event=preload_failed process=%d: runs start the ordinary way", process.pid)
