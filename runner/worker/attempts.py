"""Run one attempt of a job through the executor, and keep what it came to."""

from __future__ import annotations

import dataclasses
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runner.errors import ExecutionError, Refused, StoreUnavailable
from runner.execute.request import RunRequest
from runner.model import Ending, JobState
from runner.service import progress, questions
from runner.service.progress import Told
from runner.worker.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from runner.actions import Action
    from runner.execute.lease import Lease
    from runner.execute.request import PlaybookEvent
    from runner.model import Job, RunOutcome
    from runner.store.engine import Store
    from runner.worker.nodes import Place

log = logging.getLogger("runner.worker")
PATIENCE_SECONDS = 0.2
MOST_RETRIES = 1  # of an action that may repeat, when its hosts did not answer


class Executor(Protocol):
    """What runs playbooks; `execute.run.Executor` is the real one."""

    def run(self, request: RunRequest, on_event: Callable[[PlaybookEvent], None], lease: Lease) -> RunOutcome:
        """Run to the end and return what came of it."""

    def cancel(self, job_id: str) -> bool:
        """Ask a run to end; return whether there was one."""

    def end_leftovers(self, job_id: str) -> list[int]:
        """End every process of a job and return which there were."""

    def sweep(self) -> None:
        """Remove what crashed runs left in memory."""

    def close(self) -> None:
        """End what serves runs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """What is run: the Ansible project and its surroundings. See `RunRequest` for the meanings."""

    project_dir: Path
    inventory: Path
    vault_password_file: Path | None = None
    secret_files: tuple[Path, ...] = ()
    output_limit_bytes: int = 16_000_000
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def request(self, job: Job, action: Action) -> RunRequest:
        """Return what one attempt of a job is asked to do."""
        return RunRequest(
            job_id=job.id,
            attempt=job.attempt,
            playbook=Path("playbooks") / f"{action.playbook}.yml",
            project_dir=self.project_dir,
            inventory=self.inventory,
            time_limit_seconds=action.time_limit_seconds,
            variables=job.variables,
            vault_password_file=self.vault_password_file,
            secret_files=self.secret_files,
            output_limit_bytes=self.output_limit_bytes,
            environment=self.environment,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Attempts:
    """Runs attempts on this node. A thread that may not go on waits for the process to end: nothing of it is kept."""

    store: Store
    place: Place
    executor: Executor
    project: Project
    catalogue: Callable[[], Mapping[str, Action]]
    clock: Callable[[], datetime]

    def perform(self, job_id: str, before: int) -> Told:
        """Run the next attempt, `before` being how many are known to have ended, and tell what came of it.

        An end that was forced from outside (lease, a signal) is told as interrupted: `again` decides what follows.
        """
        while not self.place.may_start():
            threading.Event().wait(PATIENCE_SECONDS)
        try:
            self.executor.end_leftovers(job_id)
            return self._perform(job_id, before)
        except ExecutionError as error:
            log.exception("event=attempt_failed job=%s", job_id)
            return Told(Ending.FAILED, str(error), self._attempt_of(job_id))
        except Refused as error:
            self._give_up(job_id, error)
            raise
        except Exception as error:
            # A job must not stay under way because of a mistake of ours: it ends, and says which.
            log.exception("event=attempt_broken job=%s", job_id)
            why = f"The runner itself failed: {type(error).__name__}: {error}. See its log."
            return Told(Ending.FAILED, why, self._attempt_of(job_id))

    def again(self, job_id: str, told: Told, round_number: int) -> bool:
        """Tell whether another attempt follows: what was interrupted or unreachable, of an action that may repeat."""
        job = self._patiently(lambda: questions.job(self.store, job_id))
        action = self.catalogue().get(job.action)
        if job.state is JobState.CANCELLING or action is None or not action.repeatable:
            return False
        interrupted = told.ending in {Ending.FENCED, Ending.CANCELLED}
        if told.attempt >= progress.MOST_ATTEMPTS:
            return False
        return interrupted or (told.ending == Ending.UNREACHABLE and round_number <= MOST_RETRIES)

    def record(self, job_id: str, told: Told) -> str:
        """Keep how the job ended, and return the state it is in."""
        try:
            ended = self._patiently(lambda: progress.finish(self.store, job_id, told, self.place.holder, self.clock()))
        except Refused as error:
            self._give_up(job_id, error)
            raise
        state = ended.state if ended else "ended before"
        log.info("event=job_ended job=%s state=%s ending=%s attempt=%d", job_id, state, told.ending, told.attempt)
        return str(state)

    def _perform(self, job_id: str, before: int) -> Told:
        job = self._patiently(lambda: questions.job(self.store, job_id))
        action = self.catalogue().get(job.action)
        begun = self._patiently(
            lambda: progress.begin(
                self.store, job_id, before, action=action, holder=self.place.holder, now=self.clock()
            )
        )
        if isinstance(begun, Told) or action is None:
            return begun if isinstance(begun, Told) else Told(Ending.FAILED, "Its action is gone.", before)
        log.info("event=attempt_started job=%s action=%s attempt=%d", job_id, action.name, begun.attempt)
        with Telling(self.store, job_id) as telling:
            outcome = self.executor.run(self.project.request(begun, action), telling.tell, self.place.lease)
        return Told(str(outcome.ending), outcome.summary, begun.attempt, dict(outcome.results))

    def _attempt_of(self, job_id: str) -> int:
        return self._patiently(lambda: questions.job(self.store, job_id)).attempt

    def _patiently[T](self, what: Callable[[], T]) -> T:
        """Do something with the store, however long the store takes to come back."""
        while True:
            try:
                return what()
            except StoreUnavailable as error:
                log.warning("event=store_awaited error=%s", error)
                threading.Event().wait(PATIENCE_SECONDS)

    def _give_up(self, job_id: str, error: Refused) -> None:
        """Let go of a job that is not this node's any more: never come back to the engine, which would record it."""
        log.error("event=job_let_go job=%s reason=%s", job_id, error)
        if self.place.lost.wait(self.place.lease_seconds * 2):
            threading.Event().wait()
