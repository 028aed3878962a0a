"""Run one playbook and say what came of it."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from typing import TYPE_CHECKING

from runner.errors import ExecutionError
from runner.execute import environment as environments
from runner.execute import frozen, playbook, processes, scratch
from runner.execute.artifacts import Artifacts
from runner.execute.guard import Watch
from runner.execute.lease import Lease, seconds_since_boot
from runner.execute.outcome import outcome
from runner.execute.preloaded import Preloaded
from runner.execute.scrub import FOLDERS, Scrub, VaultValues, content_of, scrubber
from runner.execute.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.execute.request import PlaybookEvent, RunRequest
    from runner.model import RunOutcome

GRACE_SECONDS = 5.0
LONGEST_ERROR = 800
log = logging.getLogger("runner.execute")


class Executor:
    """Runs playbooks, several at once from several threads. Artifacts go to `<state>/jobs/<job>/<attempt>/`."""

    def __init__(
        self,
        state_dir: Path,
        clock: Callable[[], datetime],
        environment: Mapping[str, str],
        *,
        warm_project: Path | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """`environment`: of this process; only harmless names are passed on. `warm_project`: preload Ansible for it.

        Raises ExecutionError when there is no private folder in memory.
        """
        self._state_dir = state_dir.resolve()
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._memory = scratch.memory_root(self._state_dir)
        self._settings = environments.settings(environment, playbook.display_folder())
        self._vault = VaultValues()
        self._running: set[str] = set()
        self._unproved: set[str] = set()  # jobs of which something could not be ended
        self._lock = threading.Lock()
        self._preloaded = Preloaded(warm_project, self._memory, self._settings) if warm_project else None
        if self._preloaded:
            self._preloaded.start()

    def run(self, request: RunRequest, on_event: Callable[[PlaybookEvent], None], lease: Lease) -> RunOutcome:
        """Run to the end, in this thread. Leftovers of earlier attempts are ended first.

        Ends by itself, TIMED_OUT, at the request's time limit, which is this attempt's own; FENCED when the lease
        lapses; CANCELLED after `cancel`, and only when none of its processes is left.
        Raises ExecutionError when it cannot be started, or when processes are left that cannot be ended.
        """
        started_at = self._clock()
        scrub = self._scrub(request)
        kept = scratch.kept_folder(self._state_dir, request.job_id, request.attempt)
        with (
            self._attempt(request, lease, request.time_limit_seconds) as watch,
            Artifacts(kept, request.output_limit_bytes, scrub) as files,
        ):

            def tell(event: PlaybookEvent) -> None:
                files.event(event)
                on_event(event)

            story = Story(tell, scrub, self._clock)
            code = self._play(request, watch, files, story)
            self._prove(request.job_id)
            ending = _word(watch.folder / "ending")
        result = outcome(request, story, code, ending, (started_at, self._clock()))
        log.info("event=run_ended job=%s attempt=%d ending=%s", request.job_id, request.attempt, result.ending)
        return result

    def freeze(self, request: RunRequest, lease: Lease) -> Path:
        """Freeze the inventory of a job (once; later calls return the same). `run` calls it too.

        Raises ExecutionError when the source does not answer.
        """
        with self._attempt(request, lease, frozen.LONGEST_SECONDS) as watch:
            return self._frozen(request, watch)

    def cancel(self, job_id: str) -> bool:
        """Ask a run to end. Returns whether there was one; `run` returns when it ended."""
        with self._lock:
            if job_id not in self._running:
                return False
            for folder in scratch.folder_of(self._memory, job_id).glob("*"):
                (folder / "cancel").touch()
            log.info("event=run_cancelling job=%s", job_id)
            return True

    def remains(self, job_id: str) -> list[int]:
        """Return the process ids that are left of a job, whoever started it. Empty is the proof that none is."""
        folder = scratch.folder_of(self._memory, job_id)
        found = set(processes.marked(folder))
        for file in folder.glob("*/guard"):
            found |= {pid for pid in [_guard_of(file)] if pid}
        for each in list(found):
            found |= set(processes.descendants(each))
        return sorted(each for each in found if processes.alive(each))

    def end_leftovers(self, job_id: str) -> list[int]:
        """End every process of a job (after a crash of the node), at once. Returns what was ended.

        Raises ExecutionError when something is left that cannot be ended.
        """
        found = self.remains(job_id)
        if left := processes.end(lambda: self.remains(job_id), 0.0):
            raise ExecutionError(_left(job_id, left))
        scratch.remove(scratch.folder_of(self._memory, job_id))
        if found:
            log.warning("event=leftovers_ended job=%s processes=%s", job_id, found)
        return found

    def sweep(self) -> None:
        """Remove what crashed runs left in memory, when no process of them is alive. Call it when no run goes on."""
        for folder in self._memory.iterdir():
            if folder.is_dir() and not any(_guard_of(file) for file in folder.glob("*/guard")):
                shutil.rmtree(folder, ignore_errors=True)

    def ready(self, wait_seconds: float) -> bool:
        """Wait until Ansible is preloaded. Returns whether it is (False without `warm_project`)."""
        return self._preloaded is not None and self._preloaded.start(wait_seconds)

    def close(self) -> None:
        """End the preloaded process. Runs that go on are not touched."""
        if self._preloaded:
            self._preloaded.close()
        with contextlib.suppress(OSError):
            self._memory.rmdir()  # when it is empty

    @contextlib.contextmanager
    def _attempt(self, request: RunRequest, lease: Lease, limit: float) -> Iterator[Watch]:
        """Hold the job's folder in memory for the time of a run; two runs of a job at once are refused."""
        with self._lock:
            if request.job_id in self._running:
                raise ExecutionError(f"Job {request.job_id} runs in this process already; nothing was started.")
            self._running.add(request.job_id)
        try:
            # No folder: every earlier attempt was proved to have left nothing (this saves a look at all processes).
            if scratch.folder_of(self._memory, request.job_id).exists():
                self.end_leftovers(request.job_id)
            folder = scratch.make_attempt(self._memory, request.job_id, request.attempt)
            yield Watch(folder, lease, seconds_since_boot() + limit, self._grace_seconds)
        except BaseException:
            self._prove(request.job_id)  # whoever listened could not go on: nothing may run unwatched
            raise
        finally:
            try:
                scratch.remove(scratch.folder_of(self._memory, request.job_id))
                if request.job_id in self._unproved:
                    scratch.folder_of(self._memory, request.job_id).mkdir(mode=0o700)
                    self._unproved.discard(request.job_id)
            finally:
                with self._lock:
                    self._running.discard(request.job_id)

    def _play(self, request: RunRequest, watch: Watch, files: Artifacts, story: Story) -> int:
        inventory = self._frozen(request, watch)
        if (watch.folder / "ending").exists():  # ended while the inventory was frozen
            return 1

        def take(event: Mapping[str, object]) -> None:
            files.output(str(event.get("stdout") or ""))
            story.take(event)

        environment = environments.of_run(self._settings, request, watch.folder, watch.lease.path)
        return playbook.play(
            request, inventory, watch.write(), address=self._address(request), environment=environment, take=take
        )

    def _frozen(self, request: RunRequest, watch: Watch) -> Path:
        job_folder = self._state_dir / "jobs" / request.job_id
        environment = environments.of_run(self._settings, request, watch.folder, watch.lease.path)
        try:
            return frozen.freeze(request, job_folder, watch, self._address(request), environment)
        except ExecutionError as error:
            if (watch.folder / "ending").exists():
                return frozen.frozen_file(job_folder)
            # A source may repeat what it was given.
            raise ExecutionError(self._scrub(request)(str(error))[:LONGEST_ERROR]) from None

    def _address(self, request: RunRequest) -> str:
        # Settings of Ansible that a request changes may concern what was loaded already.
        ordinary = any(name.startswith("ANSIBLE_") for name in request.environment)
        return self._preloaded.address(request.project_dir) if self._preloaded and not ordinary else "-"

    def _scrub(self, request: RunRequest) -> Scrub:
        secrets = [*request.secret_variables.values(), *content_of(request.secret_files)]
        if request.vault_password_file is not None:
            folders = [request.project_dir / name for name in FOLDERS] + [request.inventory.parent]
            secrets += self._vault.values(folders, request.vault_password_file)
            secrets += content_of([request.vault_password_file])
        return scrubber(secrets)

    def _prove(self, job_id: str) -> None:
        """See that nothing is left; what the guard could not end (it was killed itself) is ended here."""
        if self.remains(job_id) and (left := processes.end(lambda: self.remains(job_id), 0.0)):
            self._unproved.add(job_id)
            raise ExecutionError(_left(job_id, left))


def _guard_of(file: Path) -> int | None:
    """Return the process id of a guard that lives, out of its file."""
    try:
        pid, started = map(int, file.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if processes.alive(pid, started) else None


def _left(job_id: str, left: list[int]) -> str:
    return f"Processes {left} of job {job_id} cannot be ended; end them as root before the job is run again."


def _word(file: Path) -> str:
    return file.read_text() if file.exists() else ""
