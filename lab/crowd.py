"""Send customers, and ask afterwards whether anything of theirs was lost."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import faults, ssh
from lab.commands import attempt
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

CROWD = "crowd1"
AUDITOR = "colo-was1"
BOOKING = "/opt/booking/bin/booking"
NAME = "tickets.understudy.test"
_VERSION = Path(__file__).resolve().parent.parent / "build/booking/VERSION"
_PLACE = "/var/lib/crowd"
_AUTHORITY = "/etc/understudy/tls/ca.crt"
_SECRETS = "/etc/understudy/was/secrets"


@dataclass(frozen=True)
class Shopping:
    """Hold what a crowd did: its report as `booking load` writes it, and its journal, one JSON object per line."""

    report: dict[str, Any]
    journal: str


def gateway(lab: faults.Lab) -> str:
    """Return where the payment company's gateway is."""
    return f"https://{lab.topology.public_addresses(['payments'])[0]}:8443"


def next_release() -> str:
    """Name a release that no server has yet."""
    return f"{_VERSION.read_text(encoding='utf-8').strip()}-{time.strftime('%H%M%S')}"


def start(lab: faults.Lab, run: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Let a crowd come; its progress goes to this terminal, its files are named after the run."""
    resolvers = [word for address in lab.topology.public_addresses(["dns"]) for word in ("--resolver", address)]
    words = [
        *("sudo", BOOKING, "load", "--edge", f"https://{NAME}", *resolvers, "--ca-file", _AUTHORITY),
        *("--journal", f"{_PLACE}/{run}.journal", "--report", f"{_PLACE}/{run}.json", *options),
    ]
    return subprocess.Popen(ssh.command(lab.paths, faults.management_address(lab, CROWD), shlex.join(words)))


def send_home(lab: faults.Lab, run: str) -> None:
    """Let no more customers of a crowd come; those who are inside go on to their end."""
    words = ["sudo", "pkill", "-TERM", "-f", f"^[^ ]*python[^ ]* .*/{run}[.]journal"]
    attempt(ssh.command(lab.paths, faults.management_address(lab, CROWD), shlex.join(words)), timeout_seconds=30)


def finish(lab: faults.Lab, run: str, process: subprocess.Popen[bytes]) -> Shopping:
    """Wait for a crowd and read what it wrote; raises LabError when it wrote nothing."""
    process.wait()
    report = json.loads(read(lab, CROWD, f"{_PLACE}/{run}.json"))
    return Shopping(report, read(lab, CROWD, f"{_PLACE}/{run}.journal"))


def read(lab: faults.Lab, host: str, path: str) -> str:
    """Return a file of a host; raises LabError when there is none."""
    address = faults.management_address(lab, host)
    done = attempt(ssh.command(lab.paths, address, shlex.join(["sudo", "cat", path])), timeout_seconds=60)
    if done.returncode != 0:
        raise LabError(f"{host}: {path} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()


def audit(lab: faults.Lab, journal: str, *, settle_seconds: int = 60, auditor: str = AUDITOR) -> dict[str, Any]:
    """Compare a journal with the database that a server finds, and with the payment company; raises LabError."""
    command = (
        "/srv/was/current/venv/bin/booking audit --json --journal /run/audit.journal "
        f"--ca-file {_AUTHORITY} --gateway-url {gateway(lab)} --gateway-secret-file {_SECRETS}/BOOKING_GATEWAY_SECRET "
        f"--settle-seconds {settle_seconds}"
    )
    script = f"cat > /run/audit.journal && BOOKING_DATABASE_URL=$(cat {_SECRETS}/BOOKING_DATABASE_URL) {command}"
    address = faults.management_address(lab, auditor)
    done = attempt(
        ssh.command(lab.paths, address, shlex.join(["sudo", "sh", "-c", script])),
        input_bytes=journal.encode(),
        timeout_seconds=settle_seconds + 120,
    )
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise LabError(
            f"The audit on {auditor} did not answer: {done.stderr.decode(errors='replace').strip()}"
        ) from error
    return told
