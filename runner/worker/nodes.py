"""A node's place among its peers: it beats, and may run things only for a while after each beat that counted.

The lease of the runs (`execute.lease`) is renewed only after a beat that the store took, and ends before the place
in the store does: whoever takes over may be sure that everything here has stopped.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.errors import StoreUnavailable
from runner.execute.lease import Lease
from runner.service.progress import Holder, inherit
from runner.store import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.store.engine import Store
    from runner.store.nodes import Node

log = logging.getLogger("runner.worker")
BEAT_SECONDS = 1.0
MARGIN_SECONDS = 0.5  # between the end of the runs' lease and the end of the place: guards look every tenth of a second


def sessions_of(node: str) -> str:
    """Return the name under which PostgreSQL shows the sessions of a node's worker."""
    return f"understudy-worker-{node}"


class Place:
    """This node's place under one epoch. `lost` is set when another node took it, or the node began anew elsewhere."""

    def __init__(self, store: Store, node: str, state_dir: Path, lease_seconds: float, *, shared: bool) -> None:
        """Enrol under a new epoch; what ran under an older one is fenced. Raises StoreUnavailable.

        `shared`: other nodes may use the store. Where none does, nobody takes over, and a store that is busy for
        seconds is no reason to end what runs: there the lease is renewed beside the beats.
        """
        self._store, self._shared = store, shared
        self.lease_seconds = lease_seconds
        self._span = timedelta(seconds=lease_seconds)
        with store.write() as connection:
            now = nodes.clock(connection)
            epoch = nodes.enrol(connection, node, now, now + self._span)
        self.holder = Holder(node, epoch)
        for old in state_dir.glob("lease-*"):
            old.unlink(missing_ok=True)  # of an earlier life: its runs end
        self.lease = Lease(state_dir / f"lease-{epoch}")
        self.lost = threading.Event()
        self._left = False
        self._renewing = threading.Lock()  # the lease is given up once, and not renewed behind that
        self._lost_hooks: list[Callable[[], None]] = []

    def when_lost(self, hook: Callable[[], None]) -> None:
        """Call something, once, in the beating thread, when the place is lost."""
        self._lost_hooks.append(hook)

    def beat(self) -> bool:
        """Beat once; where nodes share the store, a beat that counted renews the lease of the runs, and no other."""
        if self._left:
            return False
        started = self.lease.clock()
        try:
            with self._store.write() as connection:
                now = nodes.clock(connection)
                counted = nodes.beat(connection, self.holder.node, self.holder.epoch, now, now + self._span)
        except StoreUnavailable as error:
            log.warning("event=beat_failed node=%s error=%s", self.holder.node, error)
            return False
        if counted:
            if self._shared:
                self._renew(started)
        elif not self.lost.is_set():
            log.error("event=place_lost node=%s epoch=%d", self.holder.node, self.holder.epoch)
            self.lost.set()
            self._lapse()
            for hook in self._lost_hooks:
                hook()
        return counted

    def _renew(self, started: float) -> None:
        with self._renewing:
            if not self.lost.is_set() and not self._left:
                self.lease.renew_until(started + self.lease_seconds - MARGIN_SECONDS)

    def _lapse(self) -> None:
        with self._renewing:
            self.lease.lapse()

    def may_start(self) -> bool:
        """Tell whether something may be started now."""
        return not self.lost.is_set() and self.lease.valid()

    def keepers(self) -> Mapping[str, Callable[[threading.Event], None]]:
        """Return what keeps the place, by name; each in a thread of its own, to be waited for at its end."""
        if self._shared:
            return {"beat": self.keep_beating}
        return {"beat": self.keep_beating, "renew": self._keep_renewing}

    def keep_beating(self, stop: threading.Event) -> None:
        """Beat until told to stop or the place is lost; run this in a thread of its own."""
        while not self.lost.is_set():
            try:
                self.beat()
            except Exception:
                # Whatever it is, the beat must go on: without it the lease runs out, which is the safe end.
                log.exception("event=beat_broken node=%s", self.holder.node)
            if stop.wait(BEAT_SECONDS):
                return

    def _keep_renewing(self, stop: threading.Event) -> None:
        """Renew the lease of the runs whatever the store does: a beat may wait for it longer than the lease lasts."""
        while not self.lost.is_set() and not self._left:
            try:
                self._renew(self.lease.clock())
            except OSError:
                log.exception("event=renewal_failed node=%s", self.holder.node)
            if stop.wait(BEAT_SECONDS):
                return

    def leave(self) -> None:
        """Give the place up in peace, when nothing of it runs any more."""
        self._left = True
        self._lapse()
        with self._store.write() as connection:
            found = nodes.get(connection, self.holder.node)
            if found is not None and found.epoch == self.holder.epoch:
                nodes.remove(connection, self.holder.node)


def take_over_lapsed(store: Store, heir: Holder) -> tuple[str, ...]:
    """Fence the nodes whose lease has ended, end their database sessions and inherit their jobs; return their names.

    Recover their workflows afterwards. Raises StoreUnavailable.
    """
    with store.read() as connection:
        gone = [each for each in nodes.lapsed(connection, nodes.clock(connection)) if each.name != heir.node]
    return tuple(each.name for each in gone if _take_over(store, each, heir))


def _take_over(store: Store, node: Node, heir: Holder) -> bool:
    with store.write() as connection:
        now = nodes.clock(connection)
        if nodes.take_over(connection, node, now) is None:
            return False
        ended = nodes.end_sessions(connection, sessions_of(node.name))
        inherited = inherit(connection, node.name, heir.node, now)
    names = [job.id for job in inherited]
    log.warning("event=node_taken_over node=%s by=%s jobs=%s sessions=%d", node.name, heir.node, names, ended)
    return True


def living(store: Store) -> tuple[str, ...]:
    """Return the names of the nodes whose lease has not ended. Raises StoreUnavailable."""
    with store.read() as connection:
        now = nodes.clock(connection)
        return tuple(each.name for each in nodes.every(connection) if each.until is not None and each.until >= now)
