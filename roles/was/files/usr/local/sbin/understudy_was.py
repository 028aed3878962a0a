#!/usr/bin/python3
"""Put a release of the application into service, or the one before it; tell which is, and why another is not.

/srv/was/current is the release in service, /srv/was/previous the one before it; both point into /srv/was/releases,
which understudy-was-install fills.

The server's units record at every start which release and settings they started with. So this tool knows what runs,
not only what should, and a run that was stopped between a new file and the restart is completed by the next one.
Prints one line of JSON. Only the standard library: it runs on the host's own Python.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib import error, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SERVICE, SOCKET = "was.service", "was.socket"
LOOK_SECONDS = 0.2  # how soon a server that became ready is noticed
UNFINISHED = "its last change was not seen to its end"  # nothing to do here: see role booking, `begin`
CRASHES = 3  # automatic restarts after which waiting for readiness is pointless


class RefusedError(Exception):
    """Say what did not work and what to do next."""

    changed = False


@dataclass(frozen=True)
class Layout:
    """Where things are; tests put them elsewhere."""

    root: Path = Path("/srv/was")
    settings: Path = Path("/etc/understudy/was")
    units: Path = Path("/etc/systemd/system")
    records: Path = Path("/run/understudy-was")

    def release(self, name: str) -> Path:
        """Return the folder of a release."""
        return self.root / "releases" / name

    def linked(self, link: str) -> str:
        """Return the release that a link names, or nothing."""
        path = self.root / link
        return path.readlink().name if path.is_symlink() else ""

    def link(self, link: str, name: str) -> None:
        """Let a link name a release, in one step."""
        temporary = self.root / f".{link}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path("releases") / name)
        temporary.replace(self.root / link)

    def releases(self) -> list[str]:
        """List the complete releases, newest first."""
        stamps = (self.root / "releases").glob("*/release.json")
        return [stamp.parent.name for stamp in sorted(stamps, key=lambda stamp: -stamp.stat().st_mtime_ns)]

    def digest(self, unit: str) -> str:
        """Return a digest of what a unit takes at its start: its own file, and for the service all settings."""
        files = [self.units / unit, *sorted((self.units / f"{unit}.d").glob("*.conf"))]
        if unit == SERVICE:
            files += sorted(path for path in self.settings.rglob("*") if path.is_file())
        total = hashlib.sha256()
        for path in files:
            total.update(f"{path}\0".encode() + (path.read_bytes() if path.exists() else b"") + b"\0")
        return total.hexdigest()

    def record(self, unit: str) -> None:
        """Keep what a unit is being started with."""
        self.records.mkdir(mode=0o755, exist_ok=True)
        kept = {"release": self.linked("current"), "digest": self.digest(unit)}
        temporary = self.records / f".{unit}"
        temporary.write_text(json.dumps(kept))
        temporary.replace(self.records / unit)

    def recorded(self, unit: str) -> dict[str, str]:
        """Return what a unit was last started with."""
        path = self.records / unit
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def started_otherwise(self, unit: str) -> bool:
        """Tell whether a unit was started with anything else than what is on disk now."""
        return self.recorded(unit).get("digest") != self.digest(unit)


@dataclass(frozen=True)
class Ready:
    """What an answer must be like, and how long one may take to come."""

    url: str
    statuses: range
    deadline_seconds: float


class Server:
    """The running server: its units, and its answers."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        """Run systemctl; raises RefusedError with its words."""
        done = subprocess.run(
            ["systemctl", "--no-ask-password", *arguments], capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise RefusedError(f"systemctl {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def active(self, unit: str) -> bool:
        """Tell whether a unit is up."""
        return self.systemctl("is-active", unit, check=False) == "active"

    def crashes(self) -> int:
        """Count how often systemd restarted the server by itself since the last start that was asked for."""
        return int(self.systemctl("show", "--property", "NRestarts", "--value", SERVICE, check=False) or 0)

    def ask(self, url: str) -> tuple[int, str]:
        """Return status and the beginning of the answer; status 0 when there is none."""
        opener = request.build_opener(request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=2) as answer:
                return answer.status, ""
        except error.HTTPError as answer:
            return answer.code, answer.read(300).decode(errors="replace").strip()
        except (OSError, ValueError) as cause:
            return 0, str(cause)

    def wait(self, ready: Ready) -> str:
        """Wait until the server is ready; return nothing, or what it last said."""
        end = self.now() + ready.deadline_seconds
        while True:
            status, text = self.ask(ready.url)
            if status in ready.statuses:
                return ""
            if self.crashes() >= CRASHES:
                return f"it ended by itself {CRASHES} times; last answer: {status or 'none'} {text}".strip()
            if self.now() >= end:
                return f"not ready after {ready.deadline_seconds:g} s; last answer: {status or 'none'} {text}".strip()
            self.sleep(LOOK_SECONDS)


def pending(layout: Layout, server: Server, name: str) -> list[str]:
    """Say why this release, with the settings on disk, is not yet what runs."""
    started = layout.recorded(SERVICE)
    socket = (layout.units / SOCKET).exists()
    reasons = {
        f"{layout.linked('current') or 'no release'} is in service": layout.linked("current") != name,
        f"the server runs {started.get('release') or 'nothing'}": started.get("release") != name,
        "the settings changed since it started": layout.started_otherwise(SERVICE),
        "the server does not run": not server.active(SERVICE),
        "the socket does not listen": socket and not server.active(SOCKET),
        "the addresses changed since it listened": socket and layout.started_otherwise(SOCKET),
        UNFINISHED: (layout.root / "unfinished").exists(),
    }
    return [reason for reason, holds in reasons.items() if holds]


def restart(layout: Layout, server: Server) -> None:
    """Restart the server; while its socket stays, new connections wait in it and none is refused."""
    server.systemctl("daemon-reload")
    server.systemctl("reset-failed", SERVICE, SOCKET, check=False)
    if (layout.units / SOCKET).exists() and not (server.active(SOCKET) and not layout.started_otherwise(SOCKET)):
        server.systemctl("stop", SERVICE)
        server.systemctl("restart", SOCKET)
    server.systemctl("restart", SERVICE)


def serve(layout: Layout, server: Server, name: str, ready: Ready) -> str:
    """Switch to a release and wait for it; return nothing, or why it does not serve."""
    layout.link("current", name)
    try:
        restart(layout, server)
    except RefusedError as refusal:
        return str(refusal)
    return server.wait(ready)


def superfluous(releases: Sequence[str], keep: int, needed: Iterable[str]) -> list[str]:
    """Choose the releases that may go (pure): all but the newest and those that are needed."""
    return [name for name in releases[keep:] if name not in set(needed)]


def activate(layout: Layout, server: Server, name: str, ready: Ready, keep: int) -> dict[str, Any]:
    """Put a release into service; go back to the one before it when it does not become ready."""
    if name not in layout.releases():
        raise RefusedError(f"Release {name} is not on this host, which has {layout.releases()}. Stage it first.")
    reasons = [reason for reason in pending(layout, server, name) if reason != UNFINISHED]
    before = layout.recorded(SERVICE).get("release") or layout.linked("current")
    if not reasons:
        if why := server.wait(ready):
            raise RefusedError(f"Release {name} is in service, but {why}. Look at 'journalctl -u {SERVICE}'.")
        return {"changed": False, "said": f"{name} serves already"}
    if before != name and (layout.release(name) / "prepare").exists():
        unit = f"was-prepare@{name}.service"
        try:
            server.systemctl("start", unit)
        except RefusedError as refusal:
            raise RefusedError(
                f"Release {name} could not be prepared, so {before or 'nothing'} stays in service: {refusal}. "
                f"Look at 'journalctl -u {unit}'."
            ) from refusal
    if why := serve(layout, server, name, ready):
        earlier = before if before != name and before in layout.releases() else ""
        raise _go_back(layout, server, earlier, ready, f"Release {name} did not become ready ({why}).")
    if before and before != name:
        layout.link("previous", before)
    for old in superfluous(layout.releases(), keep, {name, layout.linked("previous")}):
        shutil.rmtree(layout.release(old), ignore_errors=True)
    return {"changed": True, "said": f"{name} serves; before: {', '.join(reasons)}"}


def _go_back(layout: Layout, server: Server, before: str, ready: Ready, said: str) -> RefusedError:
    """Go back to the release that served before, if there is one, and say how that went."""
    if before:
        worse = serve(layout, server, before, ready)
        said += f" {before} is back in service" + (f", but is not ready either ({worse})." if worse else " and ready.")
    else:
        said += " There is no earlier release to go back to, so it was left in place."
    refusal = RefusedError(f"{said} Look at 'journalctl -u {SERVICE}'.")
    refusal.changed = True
    return refusal


def status(layout: Layout, server: Server, name: str) -> dict[str, Any]:
    """Tell what is here, what serves, and what is missing until the named release does."""
    return {
        "changed": False,
        "releases": layout.releases(),
        "current": layout.linked("current"),
        "previous": layout.linked("previous"),
        "pending": pending(layout, server, name) if name else [],
    }


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="understudy-was", description="Put releases of the application into service.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("record", help="keep what a unit is being started with").add_argument("unit")
    verbs.add_parser("status", help="tell what serves").add_argument("release", nargs="?", default="")
    activating = verbs.add_parser("activate", help="put a release into service")
    activating.add_argument("release")
    for verb in (activating, verbs.add_parser("rollback", help="go back")):
        verb.add_argument("--ready-url", required=True)
        verb.add_argument("--statuses", default="200-299", help="what counts as ready, such as 200-499")
        verb.add_argument("--deadline-seconds", type=float, default=30)
        verb.add_argument("--keep", type=int, default=3)
        verb.add_argument("--check", action="store_true", help="only say what would be done")
    return parser


def carry_out(layout: Layout, server: Server, chosen: argparse.Namespace) -> dict[str, Any]:
    """Do what the command line asks for."""
    if chosen.verb == "record":
        layout.record(chosen.unit)
        return {"changed": False}
    if chosen.verb == "status":
        return status(layout, server, chosen.release)
    name = chosen.release if chosen.verb == "activate" else layout.linked("previous")
    if not name:
        raise RefusedError(
            f"No release was in service before {layout.linked('current') or 'this'}: nothing to go back to."
        )
    if chosen.check:
        reasons = pending(layout, server, name)
        return {"changed": bool(reasons), "said": f"{name} would be put into service: {', '.join(reasons)}"}
    first, last = (int(part) for part in chosen.statuses.split("-"))
    ready = Ready(chosen.ready_url, range(first, last + 1), chosen.deadline_seconds)
    with Path("/run/lock/understudy-was.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return activate(layout, server, name, ready, chosen.keep)


def main() -> int:
    """Carry it out and say what came of it, on one line."""
    try:
        said, code = carry_out(Layout(), Server(), options().parse_args()), 0
    except RefusedError as refusal:
        said, code = {"changed": refusal.changed, "said": str(refusal)}, 1
    sys.stdout.write(json.dumps(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
