"""Take the colo away while customers buy: the backup and its proof, the failover, the audit and the way home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.drills import playbooks, reach, rows, run
from lab.errors import LabError
from lab.report import Outage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lab import faults

_ROW = "colo-dark-archive"
_LEADER, _WATCHER = "colo-db1", "cloud-ops1"
_ASK = ("sudo", "-u", "postgres", "pgbackrest", "--stanza=understudy", "info", "--output=json")
_FIGURES = ("cat", "/var/lib/prometheus/node-exporter/understudy_backup_proof.prom")
_PROVEN = {
    "understudy_backup_proof_duration_seconds": "proof_seconds",
    "understudy_backup_proof_newest_booking_age_seconds": "newest_booking_age_s",
}


def show(lab: faults.Lab, tell: Callable[[str], float], reports: Path) -> Outage | None:
    """Run the drill of a dark colo in the tier of the lab; None when it broke off, which is told."""
    proven = proof(lab, tell, reports)
    began_s = tell(f"a backup, then the plug is pulled on the colo while customers buy (understudy drill {_ROW})")
    try:
        result = run.run(lab, [rows.named(_ROW)], lambda _: None, reports)[0]
    except LabError as error:
        tell(f"the drill broke off: {error}")
        return None
    folder = reports / "evidence" / result["evidence"]
    crowd = json.loads((folder / "crowd.json").read_text(encoding="utf-8"))
    events = [json.loads(line) for line in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    tell(f"the show is home again; evidence in {folder.name}")
    return Outage(began_s, result, crowd, events, {**newest_backup(lab), **proven})


def proof(lab: faults.Lab, tell: Callable[[str], float], reports: Path) -> Mapping[str, Any]:
    """Take a backup and prove it by a restore in the cloud; return the proof's figures, empty when it failed."""
    tell("a backup is taken, and proven by a restore on a throwaway server in the cloud")
    for name in ("take_backup", "prove_backup"):
        played = playbooks.run(name, (), reports / "proof.log")
        if played.code != 0:
            tell(f"{name} failed: {played.words[played.words.rfind('fatal: [') :][:600]}")
            return {}
    try:
        told = proof_figures(reach.on(lab, _WATCHER, *_FIGURES))
    except LabError as error:
        tell(f"the figures of the proof cannot be read: {error}")
        return {}
    tell(f"proven in {told.get('proof_seconds')} s; the newest booking was {told.get('newest_booking_age_s')} s old")
    return told


def proof_figures(text: str) -> dict[str, float]:
    """Read what monitoring reads of a proof (pure)."""
    values = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {_PROVEN[name]: float(value) for name, value in values if name in _PROVEN}


def newest_backup(lab: faults.Lab) -> Mapping[str, Any]:
    """Return size and seconds of the newest backup, as pgBackRest on the leader tells; empty when it does not."""
    try:
        told = reach.on(lab, _LEADER, *_ASK)
        return figures(json.loads(told))
    except (LabError, ValueError):
        return {}


def figures(info: list[dict[str, Any]]) -> dict[str, Any]:
    """Read pgBackRest's `info --output=json` (pure)."""
    backups = [each for stanza in info for each in stanza.get("backup", ())]
    if not backups:
        return {}
    newest = backups[-1]
    began, ended = newest["timestamp"]["start"], newest["timestamp"]["stop"]
    return {"size_bytes": newest["info"]["repository"]["delta"], "seconds": ended - began, "type": newest["type"]}
