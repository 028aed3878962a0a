"""The worker's process: it judges when woken or every second, and does by the clock what needs the clock."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import logging
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.errors import ExecutionError, StoreUnavailable
from runner.execute import retention as artifacts
from runner.model import JobState
from runner.service import judge as judging
from runner.service import progress, wishes
from runner.service.wake import Bell
from runner.store import jobs, retention
from runner.store.engine import open_store
from runner.store.jobs import HOLDING
from runner.worker import heartbeats, notifications, schedules
from runner.worker.attempts import Attempts
from runner.worker.engine import engine
from runner.worker.nodes import Place, living, sessions_of, take_over_lapsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.model import Job
    from runner.service.rules import RulesFiles
    from runner.store.engine import Store
    from runner.worker.attempts import Executor, Project
    from runner.worker.engine import Engine

log = logging.getLogger("runner.worker")
LOOK_EVERY_SECONDS = 1.0
PEERS_EVERY_SECONDS = 0.25
HOUR_SECONDS = 3600.0


class Ended(enum.StrEnum):
    """Why the worker's loop ended."""

    STOPPED = "stopped"  # it was asked to
    FENCED = "fenced"  # another node took its place: begin anew, in a fresh process


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """All that a worker needs. `random` gives any integers; `node` is unique among those that share the store."""

    state_dir: Path
    store_url: str
    node: str
    rules: RulesFiles
    executor: Executor
    project: Project
    clock: Callable[[], datetime]
    random: Callable[[], int]
    lease_seconds: float = 4.0
    keep_days: int = 90
    keep_bytes: int = 2048 * 1024 * 1024
    drain_seconds: float = 30.0
    approvals_expire_after: timedelta = timedelta(hours=4)
    sender: notifications.Send = notifications.send
    when_ready: Callable[[], None] = lambda: None  # called once, when it has its place and its engine

    @property
    def shared(self) -> bool:
        """Tell whether several nodes may share the store."""
        return self.store_url.startswith("postgresql")


def run(options: Options, stop: threading.Event) -> Ended:
    """Work until `stop` is set (ring the bell then) or the place is lost. Raises StoreUnavailable at its start only.

    Draining: nothing new is taken, and what runs may end within `drain_seconds`; what does not is interrupted and goes
    on at the next start, or on a peer.
    """
    options.state_dir.mkdir(parents=True, exist_ok=True)
    store = open_store(options.store_url, sessions_of(options.node))
    bell = Bell(options.state_dir)
    place = Place(store, options.node, options.state_dir, options.lease_seconds, shared=options.shared)
    place.when_lost(bell.ring)
    try:
        # The beat begins at once: what follows may take longer than a lease.
        keepers = place.keepers()
        with _threads(keepers, to_wait_for=frozenset(keepers)):
            return _run(options, stop, store, place, bell)
    finally:
        place.lease.lapse()
        bell.close()
        store.close()


def _run(options: Options, stop: threading.Event, store: Store, place: Place, bell: Bell) -> Ended:
    if not options.shared:
        _inherit_all(store, place, options.clock())
    _end_leftovers(store, options)
    attempts = Attempts(
        store, place, options.executor, options.project, lambda: options.rules.current().catalogue, options.clock
    )
    with engine(attempts, options.state_dir, options.store_url, bell.ring) as running:
        worker = _Worker(options, store, place, bell, running, options.clock())
        wanted = {"send": worker.send} | ({"peers": worker.follow_peers} if options.shared else {})
        with _threads(wanted):
            log.info("event=worker_ready node=%s epoch=%d", options.node, place.holder.epoch)
            options.when_ready()
            worker.work(stop)
            if place.lost.is_set():
                return Ended.FENCED
            worker.draining.set()
            worker.drain()
    return Ended.STOPPED


@dataclasses.dataclass(slots=True)
class _Worker:
    """What the loop and its threads share."""

    options: Options
    store: Store
    place: Place
    bell: Bell
    engine: Engine
    started_at: datetime
    due: dict[str, float] = dataclasses.field(default_factory=dict)
    was_away: bool = False
    draining: threading.Event = dataclasses.field(default_factory=threading.Event)

    def work(self, stop: threading.Event) -> None:
        """Judge and start jobs until stopped or fenced."""
        while not stop.is_set() and not self.place.lost.is_set():
            busy = False
            try:
                busy = self.look()
                self.was_away = False
            except StoreUnavailable as error:
                if not self.was_away:
                    log.error("event=store_unavailable error=%s", error)  # noqa: TRY400 the message says it all
                self.was_away = True
            except Exception:
                # Whatever it is, alerts that come later must be judged.
                log.exception("event=loop_broken")
            if not busy:
                self.bell.wait(LOOK_EVERY_SECONDS)

    def look(self) -> bool:
        """Do everything that is due once; return whether there is more to judge."""
        options, rules = self.options, self.options.rules.current()
        judged = 0
        if self.place.may_start():
            judged = judging.judge(self.store, rules, options.clock, options.random)
            if self._is_due("clock", LOOK_EVERY_SECONDS):
                schedules.fire_due(self.store, rules, options.clock(), self.started_at, options.random)
            if self._is_due("plan", 10.0):
                wishes.follow_plan(self.store, rules, options.clock(), options.random)
            self.engine.start_queued()
        self.end_cancelled()
        if self._is_due("alarms", 5.0):
            heartbeats.check(self.store, rules, options.clock(), self.started_at)
            heartbeats.check_readiness(self.store, rules, options.clock())
            progress.expire(self.store, options.clock(), options.approvals_expire_after)
        if self._is_due("reconcile", 5.0):
            self.engine.reconcile()
        if self._is_due("clean", HOUR_SECONDS):
            self.clean()
        return judged >= judging.BATCH

    def end_cancelled(self) -> None:
        """Ask the executor to end the jobs that people cancelled."""
        for job in self._mine():
            if job.state is JobState.CANCELLING:
                self.options.executor.cancel(job.id)

    def clean(self) -> None:
        """Forget what is old: rows and artifacts, never of a job that has not ended."""
        now = self.options.clock()
        before = now - timedelta(days=self.options.keep_days)
        self.engine.forget(before)
        with self.store.write() as connection:
            forgotten = retention.delete_before(connection, before)
            active = [job.id for job in jobs.active(connection)]
        removed = artifacts.clean(self.options.state_dir, now, self.options.keep_days, self.options.keep_bytes, active)
        log.info("event=cleaned jobs=%d artifacts=%d", forgotten.jobs, len(removed.jobs))

    def drain(self) -> None:
        """Let what runs come to its end, for a while; what is left is interrupted and goes on later."""
        until = time.monotonic() + self.options.drain_seconds
        with contextlib.suppress(StoreUnavailable):
            while (left := self._mine()) and time.monotonic() < until and not self.place.lost.is_set():
                self.end_cancelled()
                self.bell.wait(LOOK_EVERY_SECONDS / 4)
            if left:
                log.warning("event=drained_late jobs=%s", [job.id for job in left])
            else:
                self.place.leave()
                log.info("event=drained")

    def follow_peers(self, stop: threading.Event) -> None:
        """Take over what lapsed nodes were doing; a thread of its own, where nodes share the store."""
        while not stop.wait(PEERS_EVERY_SECONDS) and not self.place.lost.is_set():
            try:
                if self.place.may_start() and not self.draining.is_set():
                    self.engine.recover(take_over_lapsed(self.store, self.place.holder))
            except StoreUnavailable:
                continue  # the beat says it
            except Exception:
                log.exception("event=takeover_broken")

    def send(self, stop: threading.Event) -> None:
        """Send notifications, on the first of the living nodes; a thread of its own, because receivers may be slow."""
        while not stop.wait(LOOK_EVERY_SECONDS):
            with contextlib.suppress(StoreUnavailable):
                if self.place.may_start() and min(living(self.store), default="") == self.options.node:
                    rules = self.options.rules.current()
                    notifications.deliver(self.store, rules, self.options.clock, self.options.sender)

    def _mine(self) -> list[Job]:
        with self.store.read() as connection:
            active = jobs.active(connection)
        return [job for job in active if job.state in HOLDING and job.node == self.options.node]

    def _is_due(self, what: str, every_seconds: float) -> bool:
        now = time.monotonic()
        if now < self.due.get(what, 0.0):
            return False
        self.due[what] = now + every_seconds
        return True


@contextlib.contextmanager
def _threads(
    wanted: Mapping[str, Callable[[threading.Event], None]], to_wait_for: frozenset[str] = frozenset()
) -> Iterator[None]:
    """Run functions in threads of their own; each ends by the event that it is given."""
    end = threading.Event()
    threads = [threading.Thread(target=target, args=(end,), name=name, daemon=True) for name, target in wanted.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            if thread.name in to_wait_for:
                thread.join()


def _inherit_all(store: Store, place: Place, now: datetime) -> None:
    """Take what other names left: an SQLite store has one worker, whose machine may have been renamed."""
    with store.write() as connection:
        names = {job.node or "" for job in jobs.active(connection) if job.state in HOLDING}
        for name in sorted(names - {place.holder.node}):
            progress.inherit(connection, name, place.holder.node, now)


def _end_leftovers(store: Store, options: Options) -> None:
    """End what an earlier life of this node left running, before anything is run again."""
    with store.read() as connection:
        active = jobs.active(connection)
    for job in active:
        here = job.node == options.node or (options.state_dir / "jobs" / job.id).exists()
        if job.state in HOLDING and here:
            try:
                options.executor.end_leftovers(job.id)
            except ExecutionError:
                log.exception("event=leftovers_stay job=%s", job.id)
    options.executor.sweep()
