"""Do what the steps of a row say: break, mend, run a playbook and demand what comes of it."""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lab import cloud, faults, ssh
from lab.commands import attempt
from lab.drills import certificate, damage, freezing, playbooks, wal
from lab.drills.reach import on
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lab.drills.rows import Step

_STORM = Path(__file__).with_name("remote_storm.py")
_STORM_SECONDS = 120
_MOST_KILLS = 20
_BOOT_SECONDS = 300


class Run(Protocol):
    """How a playbook is run: `lab.drills.playbooks.run`."""

    def __call__(self, name: str, arguments: Sequence[str], log: Path, *, stop_at_play: int = 0) -> playbooks.Played:
        """Run it, and say what came of it."""


@dataclass
class Actor:
    """Act on the lab for one drill; `tier` is that of the data, `faults` the sentences on what was not as demanded."""

    lab: faults.Lab
    tier: str
    folder: Path
    tell: Callable[[str], float]
    run: Run = playbooks.run
    played: list[playbooks.Played] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    healed: bool = False

    def do(self, steps: Iterable[Step]) -> None:
        """Do the steps in order; raises LabError for a verb that nobody knows, or a host that cannot be reached."""
        for each in steps:
            verb = VERBS.get(each.verb)
            if verb is None:
                raise LabError(f"A drill's step is {each.verb!r}; known are {', '.join(VERBS)}.")
            self.tell(str(each))
            verb(self, *each.words)

    def play(self, name: str, *arguments: str) -> playbooks.Played:
        """Run a playbook that must succeed; a failure is a fault of the drill."""
        played = self._run(name, arguments)
        if played.code != 0:
            self.faults.append(f"{name} failed with exit code {played.code}: {_last(played)}")
        return played

    def play_refused(self, name: str, sentence: str, *arguments: str) -> None:
        """Run a playbook that must refuse with a sentence."""
        played = self._run(name, arguments)
        if played.code == 0:
            self.faults.append(f"{name} was to refuse with '{sentence}', and succeeded.")
        elif sentence not in played.words:
            self.faults.append(f"{name} was to refuse with '{sentence}', and said: {_last(played)}")

    def play_killed(self, name: str, *arguments: str) -> None:
        """Kill a playbook after its first play, then after its second, until one run comes to the end."""
        for play in range(2, _MOST_KILLS):
            played = self._run(name, arguments, stop_at_play=play)
            if not played.killed:
                self.kept["kills"] = play - 2
                break
        if played.code != 0:
            self.faults.append(f"{name}, killed and run again, ended with exit code {played.code}: {_last(played)}")

    def _run(self, name: str, arguments: Iterable[str], *, stop_at_play: int = 0) -> playbooks.Played:
        words = ["-e", f"data_tier={self.tier}", *arguments]
        played = self.run(name, words, self.folder / "playbooks.log", stop_at_play=stop_at_play)
        self.played.append(played)
        ended = f"killed when it came to play {played.plays}" if played.killed else f"exit code {played.code}"
        self.tell(f"{name}: {ended} after {played.seconds:.1f} s")
        return played

    def kill(self, host: str, process: str) -> None:
        """Kill the oldest process of that name on a host, as a crash would."""
        on(self.lab, host, "sudo", "pkill", "-KILL", "-o", "-x", process)

    def wait_for(self, host: str, port: str) -> None:
        """Wait until a host that boots listens on a port; a host that does not is a fault of the drill."""
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(LabError):
                if on(self.lab, host, "ss", "-ltnH", f"sport = :{port}", seconds=10).strip():
                    return
            time.sleep(1)
        self.faults.append(f"{host} does not listen on port {port}, {_BOOT_SECONDS} s after its power came back.")

    def lead_consensus(self, host: str) -> None:
        """Let a host's member of the consensus lead it, so that it is the leader which falls.

        Until its next boot it hands the lead to no other, as it would to `consensus_preferred_leader`.
        """
        on(self.lab, host, "sudo", "systemctl", "stop", "understudy-consensus-lead.timer")
        own = _consensus(self.lab, host)[0]
        leader = next(each for each in _consensus(self.lab, host, "--cluster") if each.member == each.leader)
        if leader.member != own.member:
            # By its variable: etcdctl refuses an option that the variable contradicts.
            _etcdctl(self.lab, host, f"move-leader {own.member:x}", at=leader.endpoint)

    def storm(self, host: str, deliveries: str, patience_seconds: str = "0") -> None:
        """Send alerts to a site's runner, each of them twice; all must be taken, with patience after repeats."""
        told = storm(self.lab, host, deliveries, patience_seconds)
        self.kept[f"storm_{host}"] = told
        if refused := {code: count for code, count in told["answers"].items() if code != "202"}:
            self.faults.append(
                f"{host}: the runner answered {refused} beside {told['answers'].get('202', 0)} times 202."
            )

    def ledger_has_storm(self, host: str) -> None:
        """Demand that a runner's ledger has each alert of the storm that was sent to it."""
        told = self.kept[f"storm_{host}"]
        found = freezing.in_ledger(self.lab, host, told)
        self.kept[f"ledger_{host}"] = found
        if found < told["alerts"]:
            self.faults.append(f"{host}: {told['alerts']} different alerts were sent, and its ledger has {found}.")

    def see_certificate(self, edge: str) -> None:
        """Demand that customers see a good certificate at an edge, as soon as edges take over new ones."""
        if told := certificate.wait(self.lab, edge, certificate.GOOD):
            self.faults.append(told)


def storm(lab: faults.Lab, host: str, *words: str) -> dict[str, Any]:
    """Send alerts to a site's runner as its Alertmanager does, and return its answers; for the words see remote_storm.

    Raises LabError when they cannot be sent.
    """
    done = attempt(
        ssh.command(lab.paths, faults.management_address(lab, host), shlex.join(["sudo", "python3", "-", *words])),
        input_bytes=_STORM.read_bytes(),
        timeout_seconds=_STORM_SECONDS,
    )
    if done.returncode != 0:
        raise LabError(f"{host}: no storm of alerts: {done.stderr.decode(errors='replace').strip()[-300:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@dataclass(frozen=True)
class _Seat:
    """What a member of the consensus says of itself and of who leads it (etcd's member numbers)."""

    endpoint: str
    member: int
    leader: int


def _consensus(lab: faults.Lab, host: str, *more: str) -> list[_Seat]:
    told = json.loads(_etcdctl(lab, host, " ".join(("endpoint status --write-out=json", *more))))
    statuses = [(each["Endpoint"], each["Status"]) for each in told]
    return [_Seat(at, status["header"]["member_id"], status["leader"]) for at, status in statuses]


def _etcdctl(lab: faults.Lab, host: str, words: str, at: str = "") -> str:
    """Run etcdctl on a host, against its own member or the one at another endpoint."""
    other = f"ETCDCTL_ENDPOINTS={at} " if at else ""
    return on(lab, host, "sudo", "sh", "-c", f". /etc/profile.d/understudy-consensus.sh; {other}etcdctl {words}")


def _last(played: playbooks.Played) -> str:
    """Return what a run said about its failure, or at its end."""
    at = played.words.rfind("fatal: [")
    return played.words[at:][:600] if at >= 0 else played.words[-600:]


VERBS: dict[str, Callable[..., Any]] = {
    "power-off": lambda actor, name: faults.power_off(actor.lab, name),
    "power-on": lambda actor, name: faults.power_on(actor.lab, name),
    "isolate": lambda actor, name: faults.isolate(actor.lab, name),
    "cut": lambda actor, first, second: faults.cut(actor.lab, first, second),
    "heal": lambda actor: faults.heal(actor.lab),
    "cloud-api": lambda _, mode: faults.cloud_api(mode),
    "object-storage": lambda _, mode: cloud.object_storage_fault(mode),
    "wait-for": Actor.wait_for,
    "kill": Actor.kill,
    "play": Actor.play,
    "play-refused": Actor.play_refused,
    "play-killed": Actor.play_killed,
    "storm": Actor.storm,
    "lead-consensus": Actor.lead_consensus,
    "corrupt-backup": lambda actor: actor.kept.update(damage.corrupt(actor.lab)),
    "mend-backup": lambda actor: damage.mend(actor.lab),
    "fill-wal": lambda actor: wal.fill(actor.lab),
    "mend-wal": lambda actor: wal.mend(actor.lab),
    "expire-certificate": lambda actor, edge: certificate.expire(actor.lab, edge, actor.folder / "playbooks.log"),
    "see-certificate": Actor.see_certificate,
    "mend-certificate": lambda actor: certificate.mend(actor.lab),
    "freeze-runner": lambda actor, host, seconds: freezing.freeze(actor.lab, host, seconds),
    "thaw-runner": lambda actor: freezing.mend(actor.lab),
    "ledger-has-storm": Actor.ledger_has_storm,
}
