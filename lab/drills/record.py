"""Keep what a drill showed: one sealed folder of evidence, and the figures of the last run."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.building import PROJECT
from lab.commands import run
from lab.drills import reach
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab import faults

REPORTS = PROJECT / "reports"
_NAMESPACE = "understudy-evidence"
_ASKED = {
    "postgresql": ("colo-db1", "psql --version"),
    "patroni": ("colo-db1", "patroni --version"),
    "etcd": ("witness1", "etcd --version"),
    "haproxy": ("colo-gw1", "/usr/sbin/haproxy -v"),
}


@dataclass
class Timeline:
    """Keep what happened and when, and tell it as it happens."""

    file: Path
    started: float = field(default_factory=time.monotonic)

    def tell(self, what: str) -> float:
        """Write an event down and print it; return the seconds since the drill began."""
        at_s = round(time.monotonic() - self.started, 1)
        event = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "at_s": at_s, "what": what}
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(event, ensure_ascii=False) + "\n")
        say(f"[{at_s:6.0f} s] {what}")
        return at_s


def say(what: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def write(file: Path, value: object) -> None:
    """Write a value as JSON that people can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def versions(lab: faults.Lab) -> Mapping[str, str]:
    """Return what was drilled: this project, and the programs on the hosts, as far as they answer."""
    found = {"understudy": importlib.metadata.version("understudy"), "python": platform.python_version()}
    found["ansible-core"] = importlib.metadata.version("ansible-core")
    with contextlib.suppress(LabError):
        found["commit"] = run(["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12"]).strip()
    for name, (host, command) in _ASKED.items():
        with contextlib.suppress(LabError):
            found[name] = reach.on(lab, host, "sh", "-c", command).splitlines()[0].strip()
    return found


def seal(lab: faults.Lab, folder: Path) -> str:
    """Seal a folder with the operator's key, check that the seal holds, and return what was said of it."""
    key = lab.paths.operator / "evidence"
    signers = folder.parent.with_name("evidence_signers")  # the key goes with the lab, and what it signed stays
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "understudy-evidence", "-f", str(key)])
    line = f'understudy namespaces="{_NAMESPACE}" {key.with_name("evidence.pub").read_text(encoding="utf-8")}'
    known = signers.read_text(encoding="utf-8") if signers.exists() else ""
    if line not in known:
        signers.write_text(known + line, encoding="utf-8")
    understudy = str(Path(sys.executable).parent / "understudy")
    said = run([understudy, "evidence", "seal", str(folder), "--kind", "drill", "--key", str(key)])
    run([understudy, "evidence", "verify", str(folder), "--signers", str(signers)])
    return said.strip()


def summary(result: Mapping[str, Any]) -> str:
    """Return one line for who waits at the terminal (pure)."""
    wrote = result["both_sites_wrote_ms"]
    figures = [
        f"rto {result['rto_s']:.1f} s (deadline {result['deadline_seconds']:g} s)",
        f"rpo {result['rpo_s']:.1f} s, {result['rpo_bookings']} bookings",
        f"sold twice {result['sold_twice']}",
        f"both sites wrote {'not measured' if wrote is None else f'{wrote:.0f} ms'}",
    ]
    return f"{result['row']}: {result['verdict']}; " + "; ".join(figures)
