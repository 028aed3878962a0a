"""Measure the intake: granian with the intake alone, one alert per request, every 202 counted in the store.

Prints a table, or JSON with `--json`; the exit status is 1 when a figure misses its goal or a 202 is not in the store.
The load comes from wrk, on the same cores as the server; the store is SQLite in a folder of the given disk. cpu_us is
the server's processor time per request: where it stays and the rate falls, the machine was busy with something else.
With `--beside-playbooks` the whole service is measured instead, without and with playbooks that run, and their ratio.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.intake import beside
from bench.intake.app import STORE_VARIABLE, TOKEN
from runner.store import inbox
from runner.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("post.lua")
GOAL_RATE = 10_000  # requests per second
GOAL_P99_MS = 50.0


def main() -> int:
    """Run the benchmark."""
    arguments = read_arguments()
    if shutil.which("wrk") is None:
        print("wrk is missing, the load tool of this benchmark; install the package wrk.", file=sys.stderr)
        return 2
    if arguments.beside_playbooks:
        return beside_playbooks(arguments)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        url = arguments.store or f"sqlite:///{folder}/store.db"
        rounds = [measure(url, arguments.seconds, arguments.connections) for _ in range(arguments.rounds)]
    report = {
        "goal": {"rate": GOAL_RATE, "p99_ms": GOAL_P99_MS},
        "rate": statistics.median(each["rate"] for each in rounds),
        "p50_ms": statistics.median(each["p50_ms"] for each in rounds),
        "p99_ms": statistics.median(each["p99_ms"] for each in rounds),
        "all_kept": all(each["kept"] for each in rounds),
        "rounds": rounds,
    }
    print(json.dumps(report, indent=2) if arguments.json else table(rounds))
    reached = report["rate"] >= GOAL_RATE and report["p99_ms"] < GOAL_P99_MS
    return 0 if reached and report["all_kept"] else 1


def beside_playbooks(arguments: argparse.Namespace) -> int:
    """Measure the whole service with and without playbooks; 1 when a request was refused or no playbook ran."""

    def loaded(port: int, token: str) -> dict[str, Any]:
        return load(port, arguments.seconds, arguments.connections, token)

    told = beside.report(beside.measure(loaded, arguments.rounds, arguments.folder))
    print(json.dumps(told, indent=2) if arguments.json else beside.table(told))
    return 0 if told["sound"] else 1


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", help="a store's URL instead of a new SQLite file; its deliveries are counted")
    parser.add_argument("--folder", help="where the SQLite file is made (default: the temporary folder)")
    parser.add_argument("--beside-playbooks", action="store_true", help="the whole service, while playbooks run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def measure(url: str, seconds: int, connections: int) -> dict[str, Any]:
    """Serve, load, stop, and compare the store with what was answered."""
    before = rows(url)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--loop", "uvloop", "--http", "1",
         "--workers", "1", "--port", str(port), "--log-level", "warning", "bench.intake.app:create"],
        cwd=ROOT, env={**os.environ, STORE_VARIABLE: url},
    )  # fmt: skip
    try:
        wait_until_ready(port)
        _, idle_seconds = usage(server.pid)
        figures = load(port, seconds, connections)
        memory, busy_seconds = usage(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=15)
    stored = rows(url) - before
    answered = figures["requests"] - figures["not_2xx"]
    # When wrk ends, each connection may have one request under way that is kept and whose answer nobody counts.
    kept = 0 <= stored - answered <= connections
    rate = round(answered / figures["seconds"])
    processor = round((busy_seconds - idle_seconds) / max(1, figures["requests"]) * 1e6, 1)
    measured = {"rate": rate, "cpu_us": processor, "resident_mb": memory}
    return {**figures, **measured, "answered_202": answered, "stored": stored, "kept": kept}


def load(port: int, seconds: int, connections: int, token: str = TOKEN) -> dict[str, Any]:
    """Run wrk, and return its figures."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--script", str(SCRIPT), f"http://127.0.0.1:{port}/alerts", "--", token]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30)
    figures: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return figures


def rows(url: str) -> int:
    """Count the deliveries in the store; none of them is judged here."""
    store = open_store(url)
    with store.read() as connection:
        count, _ = inbox.waiting(connection)
    store.close()
    return count


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(port: int, deadline_seconds: float = 15) -> None:
    """Wait until the server answers. Raises TimeoutError."""
    deadline = time.monotonic() + deadline_seconds
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/alerts")
            if connection.getresponse().status == 405:
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"The intake did not answer on port {port} within {deadline_seconds} s.")


def usage(parent: int) -> tuple[int, float]:
    """Return the resident megabytes, and the processor seconds so far, of a process and its children."""
    pages, ticks = 0, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if parent in {int(stat.parent.name), int(fields[1])}:
                pages += int((stat.parent / "statm").read_text().split()[1])
                ticks += int(fields[11]) + int(fields[12])
        except OSError:  # it ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000, ticks / os.sysconf("SC_CLK_TCK")


def table(rounds: Sequence[dict[str, Any]]) -> str:
    """Return the rounds as a table."""
    names = ("rate", "p50_ms", "p90_ms", "p99_ms", "max_ms", "cpu_us", "resident_mb", "stored", "not_2xx", "kept")
    lines = ["".join(f"{name:>14}" for name in names)]
    lines += ["".join(f"{each[name]!s:>14}" for name in names) for each in rounds]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
