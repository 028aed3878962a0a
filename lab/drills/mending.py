"""End whatever a drill broke, whatever became of it, and leave the show at the colo."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from lab import cloud, faults, runners
from lab.drills import certificate, damage, freezing, health, wal, writers
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.drills.acting import Actor
    from lab.drills.rows import Row

_WELL_SECONDS = 300
# What ends the faults that `faults` and `cloud` know nothing of, by the verb of a row that begins them; safe to repeat.
MENDS: Mapping[str, Callable[[faults.Lab], None]] = {
    "corrupt-backup": damage.mend,
    "fill-wal": wal.mend,
    "expire-certificate": certificate.mend,
    "freeze-runner": freezing.mend,
}


@contextlib.contextmanager
def mended(actor: Actor, row: Row) -> Iterator[None]:
    """Hold the runners' brakes; in the end end every fault, heal, bring the show home, and let the brakes go.

    Each of these is done whatever became of the others, and whether the drill came to its end or broke off.
    """
    lab = actor.lab
    with contextlib.ExitStack() as last_comes_first:
        last_comes_first.callback(_let_go, lab)
        last_comes_first.callback(_bring_home, actor)
        last_comes_first.callback(heal, actor, row)
        for mend in (MENDS[step.verb] for step in row.inject if step.verb in MENDS):
            last_comes_first.callback(mend, lab)
        last_comes_first.callback(faults.heal, lab)
        for name in (step.words[0] for step in row.inject if step.verb == "power-off"):
            last_comes_first.callback(faults.power_on, lab, name)
        last_comes_first.callback(cloud.object_storage_fault, "up")
        last_comes_first.callback(faults.cloud_api, "up")
        last_comes_first.callback(actor.tell, "mending everything")
        for host in runners.HOSTS:
            runners.ask(lab, host, "brake", "on", "--reason", f"drill {row.name}")
        yield


def heal(actor: Actor, row: Row) -> None:
    """Do what the row says for its end, unless that was done."""
    if not actor.healed:
        actor.do(row.heal)
        actor.healed = True


def _bring_home(actor: Actor) -> None:
    """Let the colo lead again if it does not, as after a return that failed, and forget what writers wrote."""
    lab, deadline = actor.lab, time.monotonic() + _WELL_SECONDS
    while not (leader := _leader(lab)):  # nobody leads for a moment after a crash
        if time.monotonic() > deadline:
            raise LabError("Nobody leads the database, or no member answers. See docs/runbooks/database.md.")
        time.sleep(2)
    if leader != writers.OLD:
        actor.tell(f"{leader} still leads; bringing the show home")
        actor.play("fail_back_to_colo")
    writers.drop(lab, _leader(lab) or writers.OLD)


def _leader(lab: faults.Lab) -> str:
    """Return who leads the database; empty when nobody does, or nobody can tell."""
    try:
        return health.leader(health.members(lab))
    except LabError:
        return ""


def _let_go(lab: faults.Lab) -> None:
    """Let the brakes go once both runners answer; raises LabError when they do not."""
    deadline = time.monotonic() + _WELL_SECONDS
    while True:
        try:
            runners.let_go(lab)
        except LabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(2)
        else:
            return
