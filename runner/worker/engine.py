"""The job engine: each job is a durable workflow of DBOS, whose id is the job's.

The jobs table decides what runs and in which order: a job is claimed there, with its lock, and then its workflow is
started. DBOS keeps which step a workflow is in, and goes on there after a crash, here or on a peer that takes over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from datetime import UTC
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._dbos import _get_or_create_dbos_registry

from runner.errors import Refused
from runner.model import JobState
from runner.service import progress
from runner.service.progress import as_told
from runner.store import jobs
from runner.store.engine import sqlite_module
from runner.store.jobs import HOLDING
from runner.worker import older_sqlite
from runner.worker.nodes import sessions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.actions import Action
    from runner.store.engine import Store
    from runner.worker.attempts import Attempts
    from runner.worker.nodes import Place

log = logging.getLogger("runner.worker")
VERSION = "understudy-1"  # of the workflow's steps: raise it only when their order or meaning changes
WORKFLOW = "run_job"
MOST_FORGOTTEN = 1000  # at once
MOST_RECOVERIES = 1000  # our own limit, on attempts, comes first
RECOVERY_LOOKS_EVERY_SECONDS = 0.1
STOPPED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """The engine as it runs in this process. There is one per process, because DBOS knows only one."""

    store: Store
    place: Place
    clock: Callable[[], datetime]
    workflow: Callable[[str], str]
    catalogue: Callable[[], Mapping[str, Action]]

    def start_queued(self) -> int:
        """Start every queued job whose lock is free, oldest first; return how many. Raises StoreUnavailable."""
        if not self.place.may_start():
            return 0
        catalogue = self.catalogue()
        with self.store.read() as connection:
            active = jobs.active(connection)
        lock_of = {job.id: catalogue[job.action].lock if job.action in catalogue else job.id for job in active}
        # Only a guess, to save tries that must fail: the claim itself asks the store.
        held = {lock_of[job.id] for job in active if job.state in HOLDING}
        started = 0
        with contextlib.suppress(Refused):
            for job in active:
                if job.state is not JobState.QUEUED or lock_of[job.id] in held:
                    continue
                held.add(lock_of[job.id])
                if progress.claim(self.store, job.id, self.place.holder, self.clock()) is not None:
                    self._start(job.id)
                    started += 1
        return started

    def recover(self, nodes: tuple[str, ...]) -> None:
        """Go on with the workflows of nodes that were fenced, each at the step it was in."""
        if nodes:
            DBOS._recover_pending_workflows(list(nodes))  # noqa: SLF001 - there is no public way, in 3.4

    def reconcile(self) -> int:
        """Bring jobs and workflows together again after a crash at any moment; return how many were apart.

        A job that was claimed and has no workflow gets one; one whose workflow stays with a fenced node is recovered;
        one whose workflow is over without a word is failed.
        """
        me = self.place.holder.node
        with self.store.read() as connection:
            mine = [each for each in jobs.active(connection) if each.state in HOLDING and each.node == me]
        apart = 0
        for job in mine:
            status = DBOS.get_workflow_status(job.id)
            if status is None:
                self._start(job.id)
            elif status.status in STOPPED:
                why = f"The engine ended it as {status.status} and nothing was recorded; see the log, then ask again."
                told = progress.Told("failed", why, job.attempt)
                with contextlib.suppress(Refused):
                    progress.finish(self.store, job.id, told, self.place.holder, self.clock())
            elif status.executor_id not in {None, me} and status.status == "PENDING":
                self.recover((str(status.executor_id),))
            else:
                continue
            apart += 1
            log.warning("event=reconciled job=%s workflow=%s", job.id, status.status if status else "none")
        return apart

    def forget(self, before: datetime) -> int:
        """Delete the workflows that ended before a moment, a thousand at most; return how many."""
        old = DBOS.list_workflows(
            completed_before=before.astimezone(UTC).isoformat(),
            limit=MOST_FORGOTTEN,
            load_input=False,
            load_output=False,
        )
        if old:
            DBOS.delete_workflows([each.workflow_id for each in old])
        return len(old)

    def _start(self, job_id: str) -> None:
        with SetWorkflowID(job_id):
            DBOS.start_workflow(self.workflow, job_id)


@contextlib.contextmanager
def engine(attempts: Attempts, state_dir: Path, store_url: str, after_each: Callable[[], None]) -> Iterator[Engine]:
    """Launch the engine: it goes on at once with what this node was doing. `after_each` is called when a job ended.

    SQLite: a file of its own in the state folder. PostgreSQL: the schema `dbos` of the store's database.
    """
    DBOS(config=_config(attempts.place.holder.node, state_dir, store_url))
    _look_often()
    register = DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
    workflow = register(_workflow(attempts, after_each))
    DBOS.launch()
    try:
        yield Engine(attempts.store, attempts.place, attempts.clock, workflow, attempts.catalogue)
    finally:
        if not attempts.place.lost.is_set():  # else nothing may wait: the process begins anew
            DBOS.destroy(destroy_registry=True)


def _workflow(attempts: Attempts, after_each: Callable[[], None]) -> Callable[[str], str]:
    def perform(job_id: str, before: int) -> dict[str, Any]:
        return dataclasses.asdict(attempts.perform(job_id, before))

    def again(job_id: str, told: dict[str, Any], round_number: int) -> bool:
        return attempts.again(job_id, as_told(told), round_number)

    def record(job_id: str, told: dict[str, Any]) -> str:
        return attempts.record(job_id, as_told(told))

    def run_job(job_id: str) -> str:
        """Run a job's attempts, each a step, then record its end, the last step."""
        told: dict[str, Any] = {"attempt": 0}
        for round_number in range(1, progress.MOST_ATTEMPTS + 1):
            told = DBOS.run_step({"name": "perform"}, perform, job_id, told["attempt"])
            if told["ending"] == "succeeded" or not DBOS.run_step({"name": "again"}, again, job_id, told, round_number):
                break
        state = DBOS.run_step({"name": "record"}, record, job_id, told)
        after_each()
        return state

    return run_job


def _config(node: str, state_dir: Path, store_url: str) -> DBOSConfig:
    config = DBOSConfig(
        name="understudy",
        application_version=VERSION,
        executor_id=node,
        log_level="WARNING",
        enable_otlp=False,
    )
    if store_url.startswith("postgresql"):
        config["system_database_url"] = store_url
        config["db_engine_kwargs"] = {
            "connect_args": {"application_name": sessions_of(node), "keepalives_idle": 2, "tcp_user_timeout": 5000},
            "pool_size": 8,
        }
        return config
    file = state_dir / "engine.db"
    module = sqlite_module()
    with contextlib.closing(module.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # DBOS leaves the mode as it finds it
    file.chmod(0o600)
    config["system_database_url"] = f"sqlite:///{file}"
    config["db_engine_kwargs"] = {"module": module, "connect_args": older_sqlite.connect_arguments(module)}
    return config


def _look_often() -> None:
    """Let DBOS look for recovered workflows so often that a restart goes on in less than a second.

    They all pass through its internal queue, which it looks at once a second, and there is no setting for it in 3.4.
    """
    queue = _get_or_create_dbos_registry().get_internal_queue()
    queue._polling_interval_sec = RECOVERY_LOOKS_EVERY_SECONDS  # noqa: SLF001 - there is no public way, in 3.4
