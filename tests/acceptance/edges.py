"""What the edges of the lab tell: which servers they use, and what they sent where."""

from __future__ import annotations

import csv

from tests.acceptance.conftest import Lab

EDGES = ("colo-gw1", "cloud-gw1")
COLO_EDGE, CLOUD_EDGE = "10.210.101.2", "10.210.102.2"


def states(lab: Lab, edge: str) -> dict[str, str]:
    """Map each server to what an edge says of it: up, down or drained."""
    lines = lab.on(edge, "sudo understudy-balancer show").out.splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def figures(lab: Lab, edge: str) -> dict[str, dict[str, str]]:
    """Map each server, and BACKEND for all of them, to an edge's figures (HAProxy's management guide, 9.1)."""
    text = lab.on(edge, "curl -s '127.0.0.1:8404/stats;csv'").out.removeprefix("# ")
    return {row["svname"]: row for row in csv.DictReader(text.splitlines()) if row["pxname"] == "was"}


def repeated(lab: Lab) -> int:
    """Count how often the edges have sent a request again: to the same server, or to another one."""
    rows = [figures(lab, edge)["BACKEND"] for edge in EDGES]
    return sum(int(row["wretr"]) + int(row["wredis"]) for row in rows)
