"""A store that is busy for longer than a lease ends what runs where a peer could take over, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.store.engine import Store
from runner.worker.nodes import Place
from tests.integration.runner.waiting import until

LEASE_SECONDS = 3.0


@contextmanager
def _kept(place: Place) -> Iterator[None]:
    end = threading.Event()
    threads = [threading.Thread(target=each, args=(end,), daemon=True) for each in place.keepers().values()]
    for each in threads:
        each.start()
    try:
        until(place.may_start, 10, "it has its lease")
        yield
    finally:
        end.set()
        for each in threads:
            each.join()


@pytest.mark.parametrize("shared", [False, True])
def test_a_busy_store_ends_the_lease_only_where_nodes_share_it(store: Store, tmp_path: Path, *, shared: bool) -> None:
    place = Place(store, "one", tmp_path, LEASE_SECONDS, shared=shared)
    with _kept(place), store.write():  # nobody else can write
        locked_at = place.lease.clock()
        ended: list[float] = []

        def lapsed_or_over() -> bool:
            if not place.may_start():
                ended.append(place.lease.clock())
            return bool(ended) or place.lease.clock() > locked_at + 2 * LEASE_SECONDS

        until(lapsed_or_over, 60, "the lease lapsed, or lasted twice its time")
    assert bool(ended) == shared
