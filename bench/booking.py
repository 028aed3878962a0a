"""Measure what the booking application costs: bookings per core beside pgbench on the same database, in one run.

`make bench-booking`. Needs the booking service in the lab (`make site`), as root. CPU is that of the processes of each
host's unit. Writes reports/bench-booking.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import statistics
import time
from pathlib import Path
from typing import Any

from lab import crowd, faults, ssh, topology
from lab.commands import run
from lab.paths import Paths

SERVERS = ("colo-was1", "colo-was2", "cloud-was1")
EDGES = ("colo-gw1", "cloud-gw1")
DATABASE = "colo-db1"
UNITS = dict.fromkeys(SERVERS, "was.service") | dict.fromkeys(EDGES, "haproxy.service") | {DATABASE: "patroni.service"}
TICKS = os.sysconf("SC_CLK_TCK")
PGBENCH = 'sudo -u postgres "$(ls -dv /usr/lib/postgresql/*/bin/pgbench | tail -1)"'  # the newest


def on(lab: faults.Lab, host: str, command: str, seconds: float = 300) -> str:
    """Run a command on a host; raises CommandError."""
    words = ssh.command(lab.paths, faults.management_address(lab, host), command)
    return run(words, timeout_seconds=seconds)


def cpu_seconds(lab: faults.Lab) -> dict[str, float]:
    """Return the CPU seconds used so far by the processes of each host's unit and those they had (proc(5), stat)."""
    told = {}
    for host, unit in UNITS.items():
        each = f"ps -eo pid=,unit= | awk '$2 == \"{unit}\" {{print $1}}'"
        lines = on(lab, host, f"for pid in $({each}); do sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f12-15; done")
        told[host] = sum(int(ticks) for ticks in lines.split()) / TICKS
    return told


def used(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return CPU seconds by part."""
    spent = {host: after[host] - before[host] for host in UNITS}
    return {
        "application": sum(spent[host] for host in SERVERS),
        "edges": sum(spent[host] for host in EDGES),
        "database": spent[DATABASE],
    }


def bookings(lab: faults.Lab, attempts: int) -> dict[str, Any]:
    """Let 16 customers buy until all attempts are made."""
    name, before, started = f"bench-{time.strftime('%H%M%S')}", cpu_seconds(lab), time.monotonic()
    shopping = crowd.finish(lab, name, crowd.start(lab, name, ["--customers", "16", "--attempts", str(attempts)]))
    cost, confirmed = used(before, cpu_seconds(lab)), shopping.report["purchases"]["confirmed"]
    return {
        "confirmed": confirmed,
        "per_second": confirmed / (time.monotonic() - started),
        "requests": shopping.report["requests"]["total"],
        "cpu_seconds": cost,
        "per_application_core_second": confirmed / cost["application"],
        "per_core_second": confirmed / sum(cost.values()),
        "per_database_core_second": confirmed / cost["database"],
    }


def transactions(lab: faults.Lab, seconds: int) -> dict[str, Any]:
    """Run pgbench's TPC-B-like script on the leader, in a database of its own."""
    before = cpu_seconds(lab)
    said = on(
        lab, DATABASE, f"{PGBENCH} --client=8 --jobs=2 --time={seconds} --no-vacuum understudy_bench", seconds + 60
    )
    cost = used(before, cpu_seconds(lab))["database"]
    done = int(re.findall(r"transactions actually processed: (\d+)", said)[0])
    return {
        "transactions": done,
        "per_second": done / seconds,
        "per_database_core_second": done / cost,
        "cpu_seconds": cost,
    }


def main() -> None:
    """Alternate both, and write the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--attempts", type=int, default=400)
    options.add_argument("--seconds", type=int, default=10)
    chosen = options.parse_args()
    lab = faults.Lab(topology.load(), Paths())
    on(lab, DATABASE, "sudo -u postgres createdb understudy_bench")
    try:
        on(lab, DATABASE, f"{PGBENCH} --initialize --scale=10 --quiet understudy_bench")
        rounds = [(bookings(lab, chosen.attempts), transactions(lab, chosen.seconds)) for _ in range(chosen.rounds)]
    finally:
        on(lab, DATABASE, f"sudo -u postgres {shlex.join(['dropdb', 'understudy_bench'])}")
    summary = {
        "bookings_per_application_core_second": statistics.median(
            one["per_application_core_second"] for one, _ in rounds
        ),
        "bookings_per_core_second": statistics.median(one["per_core_second"] for one, _ in rounds),
        "bookings_per_database_core_second": statistics.median(one["per_database_core_second"] for one, _ in rounds),
        "pgbench_transactions_per_database_core_second": statistics.median(
            two["per_database_core_second"] for _, two in rounds
        ),
    }
    Path("reports").mkdir(exist_ok=True)
    Path("reports/bench-booking.json").write_text(json.dumps({"summary": summary, "rounds": rounds}, indent=2))
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
