"""The rows of the failure matrix that are drilled: what breaks, what is done then, and what is demanded.

Pure: values only; `lab.drills.acting` does what the steps say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

ARCHIVE, STANDBY, SYNCHRONOUS = "archive", "standby", "synchronous"
TAKE_OVER = "fail_over_to_cloud"


@dataclass(frozen=True)
class Step:
    """One thing that is done: a verb of `lab.drills.acting`, and what it is done to."""

    verb: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.verb, *self.words))


def step(verb: str, *words: str) -> Step:
    """Return a step."""
    return Step(verb, words)


@dataclass(frozen=True)
class Row:
    """One row: `tier` is none where it does not matter, and then it is the one that there is.

    `deadline_seconds` is the longest time in which nobody may get a ticket; `held_seconds` how long it lasts at least.
    """

    name: str
    title: str
    inject: tuple[Step, ...]
    deadline_seconds: float
    act: tuple[Step, ...] = ()
    heal: tuple[Step, ...] = ()
    prepare: tuple[Step, ...] = ()
    tier: str | None = None
    fails_over: bool = False
    held_seconds: float = 30
    auditor: str = "colo-was1"  # a server that stays, and finds the database that leads
    watcher: str = "witness1"  # the member of the consensus that is asked who holds the lease: one that stays

    @property
    def loses_nothing(self) -> bool:
        """Say whether every confirmed booking must be there at once, not only after the return."""
        return not self.fails_over or self.tier == SYNCHRONOUS

    @property
    def then(self) -> str:
        """Say what is run when it has happened."""
        return ", then ".join(each.words[0] for each in self.act if each.verb.startswith("play")) or "nothing"


_NO_COLO = (step("power-off", "colo"),)
_COLO = (step("power-on", "colo"),)
_TO_CLOUD = (step("play", TAKE_OVER),)
_TO_BOTH = step("play", "switch_customers", "-e", "customers_to=colo-gw1,cloud-gw1")
_TO_COLO = step("play", "switch_customers", "-e", "customers_to=colo-gw1")
_TO_COLO_ALONE = step("play", *_TO_COLO.words, "-e", "balancer_dns_skip_silent_secondaries=true")
_CLOUD = (step("power-on", "cloud"), step("wait-for", "cloud-gw1", "443"), _TO_BOTH)
_STORAGE = (step("object-storage", "up"), step("play", "take_backup"), step("play", "verify_backup"))
_AT_CLOUD = "cloud-was1"
_ONE_MORE = ("scale_out", "-e", "wanted_servers=1")

ROWS = (
    Row(
        "was-dies",
        "WAS dies",
        inject=(step("power-off", "colo-was1"),),
        heal=(step("power-on", "colo-was1"),),
        deadline_seconds=10,
        auditor="colo-was2",
    ),
    Row(
        "database-process-dies",
        "colo database process dies",
        inject=(step("kill", "colo-db1", "postgres"),),
        deadline_seconds=30,
        held_seconds=45,
    ),
    Row(
        "colo-dark",
        "colo dark",
        prepare=(step("lead-consensus", "colo-gw1"),),
        inject=_NO_COLO,
        act=_TO_CLOUD,
        heal=_COLO,
        deadline_seconds=60,
        tier=STANDBY,
        fails_over=True,
        auditor=_AT_CLOUD,
    ),
    Row(
        "colo-dark-synchronous",
        "colo dark",
        inject=_NO_COLO,
        act=_TO_CLOUD,
        heal=_COLO,
        deadline_seconds=60,
        tier=SYNCHRONOUS,
        fails_over=True,
        auditor=_AT_CLOUD,
    ),
    Row(
        "colo-dark-archive",
        "colo dark",
        inject=_NO_COLO,
        act=_TO_CLOUD,
        heal=_COLO,
        deadline_seconds=240,
        prepare=(step("play", "take_backup"),),
        tier=ARCHIVE,
        fails_over=True,
        auditor=_AT_CLOUD,
    ),
    Row(
        "colo-cut-off",
        "colo cut off but running",
        inject=(step("isolate", "colo"),),
        act=_TO_CLOUD,
        heal=(step("heal"),),
        deadline_seconds=75,
        tier=STANDBY,
        fails_over=True,
        auditor=_AT_CLOUD,
    ),
    Row(
        "vpn-cut",
        "VPN cut, with every other way between colo and cloud",
        inject=(step("cut", "colo", "cloud"),),
        act=(step("play-refused", TAKE_OVER, "it is the cloud that is cut off"), _TO_COLO),
        heal=(step("heal"), _TO_BOTH),
        deadline_seconds=10,
    ),
    Row(
        "cloud-dark",
        "cloud dark",
        prepare=(step("lead-consensus", "cloud-gw1"),),
        inject=(step("power-off", "cloud"),),
        act=(_TO_COLO_ALONE,),
        heal=_CLOUD,
        deadline_seconds=20,
    ),
    Row(
        "witness-dark",
        "witness dark",
        prepare=(step("lead-consensus", "witness1"),),
        inject=(step("power-off", "witness"),),
        heal=(step("power-on", "witness"),),
        deadline_seconds=10,
        watcher="cloud-gw1",
    ),
    Row(
        "openstack-api-hangs",
        "OpenStack API hanging",
        inject=(step("cloud-api", "hang"),),
        act=(step("play-refused", "scale_in", "nothing is removed", "-e", "wanted_servers=0"),),
        heal=(step("cloud-api", "up"),),
        deadline_seconds=10,
    ),
    Row(
        "storage-down",
        "object storage down at backup time",
        inject=(step("object-storage", "down"),),
        act=(step("play-refused", "take_backup", "The backup storage did not answer"),),
        heal=_STORAGE,
        deadline_seconds=10,
    ),
    Row(
        "runner-killed-mid-failover",
        "runner killed mid-failover, with -9 after each play",
        inject=_NO_COLO,
        act=(step("play-killed", TAKE_OVER),),
        heal=_COLO,
        deadline_seconds=300,
        tier=STANDBY,
        fails_over=True,
        auditor=_AT_CLOUD,
    ),
    Row(
        "alert-storm",
        "alert storm and repeats",
        inject=(step("storm", "cloud-ops1", "400"), step("storm", "colo-ops1", "400")),
        deadline_seconds=10,
    ),
    Row(
        "backup-corrupted",
        "backup corrupted",
        prepare=(step("play", "take_backup", "-e", "backup_type=full"),),
        inject=(step("corrupt-backup"),),
        act=(step("play-refused", "verify_backup", "is not what was written"),),
        heal=(step("mend-backup"), step("play", "verify_backup")),
        deadline_seconds=10,
    ),
    Row(
        "wal-disk-full",
        "WAL disk full: storage away until no more WAL may wait",
        inject=(step("object-storage", "down"), step("fill-wal")),
        act=(step("object-storage", "up"), step("play-refused", "verify_backup", "WAL gap")),
        heal=(
            step("object-storage", "up"),
            step("mend-wal"),
            step("play", "take_backup"),
            step("play", "verify_backup"),
        ),
        deadline_seconds=10,
    ),
    Row(
        "expired-certificate",
        "expired certificate, of an edge as customers see it",
        inject=(step("expire-certificate", "cloud-gw1"),),
        act=(
            step("play-refused", "edge", "edge.pem expires", "--tags", "preflight"),
            step("play", "control", "--tags", "certificates"),
            step("see-certificate", "cloud-gw1"),
        ),
        heal=(step("mend-certificate"), step("see-certificate", "cloud-gw1")),
        deadline_seconds=10,
    ),
    Row(
        "half-built-servers",
        "half-built servers: a scale-out killed with -9 after each play",
        prepare=(step("play", "bake_image"),),
        inject=(step("play-killed", *_ONE_MORE),),
        act=(step("play", *_ONE_MORE),),
        heal=(step("play", "scale_in", "-e", "wanted_servers=0"),),
        deadline_seconds=10,
    ),
    Row(
        "runner-frozen",
        "runner frozen under a storm of alerts, and revived",
        inject=(step("freeze-runner", "cloud-ops1", "30"),),
        act=(step("storm", "cloud-ops1", "400", "90"), step("ledger-has-storm", "cloud-ops1")),
        heal=(step("thaw-runner"),),
        deadline_seconds=10,
    ),
)

# Rows of the design's matrix that no drill runs, and what proves them instead.
WITHOUT_A_DRILL = {
    "runner node frozen, and its jobs taken over by a peer on PostgreSQL": "`tests/integration/runner/worker`",
    "clock skew": "nothing yet",
    "hardware": "nothing: the lab has none",
}


def named(name: str, rows: Sequence[Row] = ROWS) -> Row:
    """Return the row of that name; raises UnknownNameError."""
    for row in rows:
        if row.name == name:
            return row
    raise UnknownNameError(f"There is no drill {name!r}; there are {', '.join(row.name for row in rows)}.")
