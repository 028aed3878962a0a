#!/usr/bin/python3
"""Stop PostgreSQL before the lease that lets it take writes can lapse, whatever Patroni is doing.

Patroni renews the lease and demotes PostgreSQL when it cannot. A Patroni that is frozen does neither: the other side is
promoted when the lease lapses while this one goes on taking writes. So this program asks the consensus itself.
Only the standard library: it has to run when little else does. Its one argument is a settings file (`read_settings`).

Sources: etcd 3 JSON gateway (kv/range, lease/timetolive); Patroni's keys (/service/SCOPE/{leader,initialize});
PostgreSQL's miscadmin.h (line 8 of postmaster.pid) and pg_control.h (DBState, at byte 16 of global/pg_control).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

IN_PRODUCTION = 6  # DBState: neither recovering nor shut down
TICK_SECONDS = 0.2
ASK_SECONDS = 1.0
ANSWER_SECONDS = 1.0  # time limit of one step of a question; etcd answers in milliseconds
QUIT_SECONDS = 1.0  # what an immediate stop may take before it is forced


@dataclass(frozen=True)
class Settings:
    """What the guard watches and how patient it is."""

    name: str
    scope: str
    data_directory: str
    endpoints: tuple[str, ...]
    ca_file: str
    certificate_file: str
    key_file: str
    margin_seconds: float
    unleased_seconds: float
    silence_seconds: float
    state_file: str


@dataclass(frozen=True)
class Answer:
    """What a quorum of the consensus said. `asked_at` is when the question left, so the truth is at least that new."""

    asked_at: float
    holder: str
    expires_at: float
    bootstrapping: bool = False


@dataclass(frozen=True)
class Knowledge:
    """What the guard knows. Moments are seconds of a clock that also runs while the machine sleeps."""

    started_at: float
    answer: Answer | None = None
    held_until: float | None = None
    unleased_since: float | None = None
    writable_since: float | None = None


@dataclass(frozen=True)
class Postmaster:
    """The running PostgreSQL."""

    pid: int
    writable: bool


def observe(before: Knowledge, now: float, *, writable: bool, answer: Answer | None, name: str) -> Knowledge:
    """Return what is known after a look at PostgreSQL and the newest answer, if there ever was one (pure)."""
    since = (before.writable_since if before.writable_since is not None else now) if writable else None
    after = replace(before, writable_since=since)
    if answer is None or (before.answer is not None and answer.asked_at <= before.answer.asked_at):
        return after
    after = replace(after, answer=answer)
    if answer.holder == name:
        return replace(after, held_until=answer.expires_at, unleased_since=None)
    if answer.holder or answer.bootstrapping:
        return replace(after, held_until=None, unleased_since=None)
    unleased = before.unleased_since if before.unleased_since is not None else answer.asked_at
    return replace(after, held_until=None, unleased_since=unleased)


def reason_to_stop(known: Knowledge, settings: Settings, now: float) -> str:
    """Return why PostgreSQL must stop taking writes now, or nothing (pure)."""
    if known.writable_since is None:
        return ""
    answer = known.answer
    fresh = answer is not None and answer.asked_at >= known.writable_since
    if answer is not None and fresh and answer.holder not in {"", settings.name}:
        return f"{answer.holder} holds the lease"
    if known.held_until is not None:
        left = known.held_until - now
        return f"the lease was not renewed and may lapse in {left:.1f} s" if left <= settings.margin_seconds else ""
    heard_at = max(known.started_at, known.writable_since, answer.asked_at if answer else 0.0)
    if now - heard_at >= settings.silence_seconds:
        return f"the consensus has not answered for {now - heard_at:.1f} s and no lease of ours is known"
    if answer is not None and fresh and known.unleased_since is not None:
        unleased = answer.asked_at - max(known.unleased_since, known.writable_since)
        if unleased >= settings.unleased_seconds:
            return f"nobody has held the lease for {unleased:.1f} s"
    return ""


def understand(keys: dict[str, Any], lease: dict[str, Any] | None, scope: str, asked_at: float) -> Answer:
    """Read etcd's answers (pure). The time to live is rounded down by etcd and counted from before the question."""
    values = {base64.b64decode(kv["key"]).decode(): base64.b64decode(kv.get("value", "")) for kv in keys.get("kvs", [])}
    holder = values.get(f"/service/{scope}/leader", b"").decode()
    expires_at = asked_at + max(0, int((lease or {}).get("TTL", 0))) if holder else 0.0
    return Answer(asked_at, holder, expires_at, bootstrapping=values.get(f"/service/{scope}/initialize") == b"")


def lease_of_leader(keys: dict[str, Any], scope: str) -> str:
    """Return the identifier of the lease that the leader's key hangs on, or nothing (pure)."""
    wanted = base64.b64encode(f"/service/{scope}/leader".encode()).decode()
    return next((str(kv.get("lease", "")) for kv in keys.get("kvs", []) if kv["key"] == wanted), "")


def is_writable(pid_file: str, control: bytes) -> bool:
    """Tell from postmaster.pid and pg_control whether PostgreSQL takes writes or is ending its last ones (pure)."""
    lines = pid_file.splitlines()
    status = lines[7].strip() if len(lines) > 7 else "starting"
    return status in {"ready", "stopping"} and struct.unpack_from("=I", control, 16)[0] == IN_PRODUCTION


def clock() -> float:
    """Return seconds that go on while the machine sleeps; a lease does, too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def log(event: str, **fields: object) -> None:
    """Write one line to the journal."""
    print(f"event={event}", *(f"{name}={json.dumps(value)}" for name, value in fields.items()), flush=True)  # noqa: T201 - to the journal


def look(data_directory: str) -> Postmaster | None:
    """Find the PostgreSQL that runs in a data directory."""
    directory = Path(data_directory)
    try:
        text = (directory / "postmaster.pid").read_text(encoding="utf-8")
        pid = int(text.split("\n", 1)[0])
        if Path(f"/proc/{pid}/cwd").readlink() != directory.resolve():
            return None  # left over from a crash; the number belongs to another process
        return Postmaster(pid, is_writable(text, (directory / "global/pg_control").read_bytes()))
    except (OSError, ValueError, struct.error):
        return None


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    found = [pid]
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.parent.name))
    return found


def stop(pid: int) -> None:
    """Stop PostgreSQL at once: no checkpoint, no waiting for clients. What hangs is killed."""
    members = family(pid)
    for number in (signal.SIGQUIT, signal.SIGCONT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    ends = time.monotonic() + QUIT_SECONDS
    while time.monotonic() < ends and Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    if Path(f"/proc/{pid}").exists():
        for member in {*members, *family(pid)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)


class Consensus:
    """Asks one member of the consensus after the other, in its own thread, so that no silence delays a decision."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.newest: Answer | None = None
        self._member = settings.endpoints[0]
        self._connection: http.client.HTTPSConnection | None = None

    def _call(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        if self._connection is None:
            context = ssl.create_default_context(cafile=self.settings.ca_file)
            context.load_cert_chain(self.settings.certificate_file, self.settings.key_file)
            self._connection = http.client.HTTPSConnection(self._member, timeout=ANSWER_SECONDS, context=context)
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", path, json.dumps(question), headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise OSError(f"{path} answered {response.status}: {body[:200]!r}")
        return dict(json.loads(body))

    def ask(self) -> Answer:
        """Ask who leads and how long for. The read is linearizable: only a quorum can answer it."""
        asked_at = clock()
        start = f"/service/{self.settings.scope}/".encode()
        end = start[:-1] + bytes([start[-1] + 1])
        between = {"key": base64.b64encode(start).decode(), "range_end": base64.b64encode(end).decode()}
        keys = self._call("/v3/kv/range", between)
        lease = lease_of_leader(keys, self.settings.scope)
        found = self._call("/v3/lease/timetolive", {"ID": lease}) if lease not in {"", "0"} else None
        return understand(keys, found, self.settings.scope, asked_at)

    def run(self) -> None:
        """Ask for ever; after a failure ask the next member."""
        while True:
            try:
                self.newest = self.ask()
                time.sleep(ASK_SECONDS)
            except (OSError, ValueError, KeyError, http.client.HTTPException) as problem:
                log("no_answer", member=self._member, why=str(problem))
                if self._connection is not None:
                    self._connection.close()
                members = self.settings.endpoints
                self._connection, self._member = None, members[(members.index(self._member) + 1) % len(members)]
                time.sleep(TICK_SECONDS)


def tell_systemd(message: str) -> None:
    """Send systemd a state, if it asked for any (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
            channel.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


def read_settings(text: str) -> Settings:
    """Read the settings file: a JSON object with the fields of `Settings`."""
    found = json.loads(text)
    return Settings(**{**found, "endpoints": tuple(found["endpoints"])})


def recall(path: Path) -> float | None:
    """Return how long our lease was known to last before the guard was restarted."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))["held_until"]
        return None if held is None else float(held)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(path: Path, known: Knowledge) -> None:
    """Keep what is known for a restarted guard and for people, in one step."""
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps({"at": clock(), **asdict(known)}) + "\n", encoding="utf-8")
    aside.replace(path)


def guard(settings: Settings) -> None:
    """Watch for ever."""
    consensus = Consensus(settings)
    path = Path(settings.state_file)
    known = Knowledge(started_at=clock(), held_until=recall(path))
    asking = threading.Thread(target=consensus.run, daemon=True, name="consensus")
    asking.start()
    tell_systemd("READY=1")
    log("watching", name=settings.name, data_directory=settings.data_directory, held_until=known.held_until)
    while asking.is_alive():  # if it ever is not, systemd starts all of this again
        postmaster = look(settings.data_directory)
        writable = postmaster is not None and postmaster.writable
        before, now = known, clock()
        known = observe(known, now, writable=writable, answer=consensus.newest, name=settings.name)
        reason = reason_to_stop(known, settings, now)
        if reason and postmaster is not None:
            stop(postmaster.pid)
            log("stopped_postgresql", pid=postmaster.pid, reason=reason, seconds=round(clock() - now, 3))
        if known != before:
            save(path, known)
        tell_systemd("WATCHDOG=1")
        time.sleep(TICK_SECONDS)


if __name__ == "__main__":
    guard(read_settings(Path(sys.argv[1]).read_text(encoding="utf-8")))
