"""Measure how fast an alert becomes servers that sell: to the playbook's first task, and to a booking at a new server.

Needs the booking service and a published image in the lab (`make site`, playbooks/bake_image.yml), as root, and nobody
who has bought for two minutes. The booking is the proof that the playbook makes at each new server, before customers
are let in. The lab's policy adds two servers per alert and four at most (inventories/lab/policies.yml): so the one
server comes by an alert, from three to the ceiling, and the four at once by `understudy submit`, which goes the same
way from the store on. Prints a table and writes reports/bench-reach.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import faults, runners, surge, topology
from lab.drills import acting
from lab.errors import LabError
from lab.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPORT = Path(__file__).parents[2] / "reports" / "bench-reach.json"
ALERT = "BookingSlow"
CEILING, COOL_DOWN = 4, timedelta(seconds=60)  # of policy crowd
BOOKED = "Book a seat as a customer would, and give it back"
ENDED = {"succeeded", "failed", "cancelled", "rejected"}
FIGURES = ("first_task_ms", "first_booking_s", "last_booking_s")
REACH = {"one": {"first_task_ms": 500, "first_booking_s": 20}, "at_once": {"last_booking_s": 40}}
DEADLINE_SECONDS = 600


def main() -> int:
    """Run the benchmark."""
    arguments = read_arguments()
    lab = faults.Lab(topology.load(), Paths())
    runners.let_go(lab)
    try:
        wish(lab, "scale_out", CEILING - 1)
        one = [by_alert(lab) for _ in range(arguments.rounds)]
        wish(lab, "scale_in", 0)
        at_once = [by_wish(lab, CEILING) for _ in range(arguments.rounds)]
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    report = {
        "servers_at_once": CEILING,
        "reach": REACH,
        **{
            name: {"median": medians(rounds), "rounds": rounds} for name, rounds in (("one", one), ("at_once", at_once))
        },
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"One server, by an alert:\n{table(one)}\n{CEILING} servers at once:\n{table(at_once)}\n\n{REPORT}")
    return 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def by_alert(lab: faults.Lab) -> dict[str, float | None]:
    """Post an alert that adds one server, and take that server away again."""
    wait_for_cool_down(lab)
    known = set(surge.jobs(lab))
    acting.storm(lab, surge.OWNER, "2", "0", ALERT)  # one alert, twice: as from a pair of Alertmanagers
    job = end_of(lab, known, "scale_out")
    measured = figures(surge.arrival(lab, job["id"]), surge.story(lab, job["id"]), servers=1)
    wish(lab, "scale_in", CEILING - 1)
    return measured


def by_wish(lab: faults.Lab, count: int) -> dict[str, float | None]:
    """Ask for that many servers where there is none, and take them away again."""
    job = wish(lab, "scale_out", count)
    measured = figures(datetime.fromisoformat(job["created_at"]), surge.story(lab, job["id"]), servers=count)
    wish(lab, "scale_in", 0)
    return measured


def wait_for_cool_down(lab: faults.Lab) -> None:
    """Wait until the policy would act again after the last addition."""
    ends = [job["ended_at"] for job in surge.jobs(lab).values() if job["action"] == "scale_out" and job["ended_at"]]
    last = max(map(datetime.fromisoformat, ends), default=None)
    if last is not None:
        time.sleep(max(0.0, (last + COOL_DOWN - datetime.now(UTC)).total_seconds()) + 1)


def wish(lab: faults.Lab, action: str, count: int) -> dict[str, Any]:
    """Ask the runner for a number of servers, and return the job that brought it about; raises LabError."""
    known = set(surge.jobs(lab))
    runners.ask(lab, surge.OWNER, "submit", action, f"wanted_servers={count}", "--yes")
    return end_of(lab, known, action)


def end_of(lab: faults.Lab, known: set[str], action: str) -> dict[str, Any]:
    """Wait for the end of the job that is new; raises LabError when it fails, or there is none."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        new = [job for name, job in surge.jobs(lab).items() if name not in known and job["action"] == action]
        if new and new[0]["state"] in ENDED:
            if new[0]["state"] != "succeeded":
                raise LabError(f"{surge.OWNER}: {action} {new[0]['state']}: {new[0]['outcome']}")
            return new[0]
        time.sleep(0.5)
    raise LabError(
        f"{surge.OWNER}: no {action} came to its end in {DEADLINE_SECONDS} s; see `understudy ledger` there."
    )


def figures(since: datetime | None, events: list[dict[str, Any]], *, servers: int) -> dict[str, float | None]:
    """Return the times from a moment on; raises LabError when not each new server was proven."""
    booked = sorted(
        datetime.fromisoformat(event["at"])
        for event in events
        if event["kind"] in {"ok", "changed"} and event["task"] == BOOKED
    )
    if len(booked) != servers:
        raise LabError(f"{servers} new servers were to sell, and {len(booked)} did; was the lab as the benchmark says?")
    return {
        "first_task_ms": surge.between(since, surge.first_task(events), 1000),
        "first_booking_s": surge.between(since, booked[0], 1),
        "last_booking_s": surge.between(since, booked[-1], 1),
    }


def medians(rounds: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Return the median of each figure; null where it was never seen."""
    seen = {name: [value for each in rounds if (value := each[name]) is not None] for name in FIGURES}
    return {name: round(statistics.median(values), 1) if values else None for name, values in seen.items()}


def table(rounds: Sequence[Mapping[str, float | None]]) -> str:
    """Return the rounds as a table, the medians last."""
    lines = ["".join(f"{name:>18}" for name in FIGURES)]
    lines += ["".join(f"{each[name]!s:>18}" for name in FIGURES) for each in (*rounds, medians(rounds))]
    return "\n".join(lines) + "  (medians)"


if __name__ == "__main__":
    sys.exit(main())
