"""Measure the inventory plugin: 10,000 servers over HTTP in pages of 1000 and 1,000 fixed hosts.

The API is a process of its own; both plugins parse in a fresh process each time. The openstack.cloud plugin runs
once beside ours; where it does not work, its error is shown. Prints a table, or JSON with `--json`. Where cpu is much
less than the median, the machine was busy with something else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
TARGET_SECONDS = 3.0
PASSWORD = 'pa$$w0rd "of" the lab'  # noqa: S105 - the stand-in's
OURS, THEIRS = "understudy.hybrid.two_sites", "openstack.cloud.openstack"


def main() -> int:
    """Run the benchmark; the exit status is 1 when our plugin fails or its median misses the target."""
    arguments = read_arguments()
    with tempfile.TemporaryDirectory() as folder:
        port, api = start_api(arguments.servers)
        try:
            write_files(Path(folder), port, arguments.fixed_hosts)
            results = [
                measure(OURS, Path(folder) / "two_sites.yml", arguments.rounds),
                measure(THEIRS, Path(folder) / "openstack.yml", rounds=1),  # once: it takes a minute
            ]
        finally:
            assert api.stdin
            api.stdin.close()
            api.wait(timeout=10)
    report = {
        "servers": arguments.servers,
        "fixed_hosts": arguments.fixed_hosts,
        "rounds": arguments.rounds,
        "target_seconds": TARGET_SECONDS,
        "results": results,
    }
    print(json.dumps(report, indent=2) if arguments.json else table(report))
    ours = results[0]
    good = ours["hosts"] == arguments.servers + arguments.fixed_hosts
    return 0 if good and ours["median_seconds"] <= TARGET_SECONDS else 1


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--fixed-hosts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def start_api(servers: int) -> tuple[int, subprocess.Popen[str]]:
    """Start the stand-in for the API; gives its port and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.inventory.openstack_api", str(servers)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    return int(process.stdout.readline()), process


def write_files(folder: Path, port: int, fixed_hosts: int) -> None:
    """Write the inventory files of both plugins."""
    auth = {
        "auth_url": f"http://127.0.0.1:{port}", "username": "understudy", "password": PASSWORD,
        "project_name": "understudy", "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip
    clouds = {"clouds": {"bench": {"auth": auth, "region_name": "RegionOne"}}}
    ours = {
        "plugin": "two_sites",
        "sites": {
            "colo": {"networks": {"lan": "10.220.0.0/16"}},
            "cloud": {"networks": {"lan": "10.230.0.0/16"}},
        },
        "management_networks": ["10.231.0.0/16"],
        "functions": ["was", "database"],
        "fixed_hosts": "fixed_hosts.yml",
        "clouds_yaml": "clouds.yaml",
        "clouds": [{"name": "bench", "site": "cloud", "timeout_seconds": 60}],
        "last_good_directory": "last_good",
    }
    theirs = {"plugin": THEIRS, "only_clouds": ["bench"], "expand_hostvars": False}
    hosts = {
        f"colo-was{number}": {
            "addresses": {"lan": f"10.220.{number // 250}.{number % 250 + 1}"}, "functions": ["was"],
        }
        for number in range(fixed_hosts)
    }  # fmt: skip
    files = {
        "clouds.yaml": clouds, "two_sites.yml": ours, "openstack.yml": theirs,
        "fixed_hosts.yml": {"hosts": hosts},
    }  # fmt: skip
    for name, data in files.items():  # JSON is YAML, and is written as a person would write flow style
        (folder / name).write_text(json.dumps(data, indent=1))
    (folder / "ansible.cfg").write_text("")


def measure(plugin: str, file: Path, rounds: int) -> dict[str, Any]:
    """Time a plugin's parse in fresh processes; gives the median and what the plugin found."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "OS_"))},
        "ANSIBLE_CONFIG": str(file.with_name("ansible.cfg")),
        "OS_CLIENT_CONFIG_FILE": str(file.with_name("clouds.yaml")),
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, str(Path(__file__).with_name("parse_once.py")), plugin, str(file)]
    outcomes: list[dict[str, Any]] = []
    for _ in range(rounds):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            why = (done.stderr.strip().splitlines() or ["no output"])[-1]
            return {"plugin": plugin, "hosts": 0, "median_seconds": None, "all_seconds": [], "error": why}
        outcomes.append(json.loads(done.stdout.splitlines()[-1]))
    seconds: Sequence[float] = [each["seconds"] for each in outcomes]
    error = None if outcomes[-1]["hosts"] else f"found no host: {done.stderr.strip()[-200:]}"
    return {
        "plugin": plugin, "hosts": outcomes[-1]["hosts"], "median_seconds": statistics.median(seconds),
        "median_cpu_seconds": statistics.median(each["cpu_seconds"] for each in outcomes),
        "all_seconds": seconds, "error": error,
    }  # fmt: skip


def table(report: dict[str, Any]) -> str:
    """Give the results as text."""
    lines = [
        f"{report['servers']} servers, {report['fixed_hosts']} fixed hosts, {report['rounds']} rounds;"
        f" target {report['target_seconds']} s of plugin time",
        f"{'plugin':<30} {'hosts':>6} {'median':>8} {'min':>8} {'max':>8} {'cpu':>8}",
    ]
    for each in report["results"]:
        if each["error"]:
            lines.append(f"{each['plugin']:<30} does not work here: {each['error']}")
            continue
        low, high = min(each["all_seconds"]), max(each["all_seconds"])
        times = (each["median_seconds"], low, high, each["median_cpu_seconds"])
        columns = " ".join(f"{value:>6.2f} s" for value in times)
        lines.append(f"{each['plugin']:<30} {each['hosts']:>6} {columns}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
