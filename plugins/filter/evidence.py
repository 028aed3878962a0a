# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what a failover or a return leaves as evidence.

Pure but for the versions of what runs here: facts of hosts in, content of files out.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

# The facts with which roles say when they did something, and what that was.
MOMENTS = {
    "vpn_opened_at": "{}: the tunnel to the other site is open",
    "database_led_at": "{} leads the database: it holds the lease",
    "balancer_switched_at": "{}: every name server sends customers to the edges of this switch",
    "vpn_fenced_at": "{}: the tunnel to the other site is closed",
    "edges_proved_at": "a seat was booked at the edges that customers are led to, and given back",
}
Host = Mapping[str, Any]


def failover_evidence(hosts: Sequence[Host], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return when it began, how many seconds it took, whether it was resumed, and the files to seal.

    `hosts`: variables of every host with localhost among them; `about`: what `result.json` tells besides.
    """
    seen = [
        {"name": host["inventory_hostname"], **host["preflight_seen"]} for host in hosts if host.get("preflight_seen")
    ]
    judged = next((dict(host["preflight_judged"]) for host in hosts if host.get("preflight_judged")), {})
    began = min((str(each["asked_at"]) for each in seen), default="")
    proved = max((str(host["edges_proved_at"]) for host in hosts if host.get("edges_proved_at")), default="")
    seconds = round(_moment(proved) - _moment(began), 1) if began and proved else None
    resumed = bool(judged) and any(each.get("begun") for each in seen)
    divergence = next((dict(host["booking_divergence"]) for host in hosts if host.get("booking_divergence")), None)
    result = {"began": began, "seconds": seconds, "resumed": resumed, "divergence": divergence, **about}
    result |= _reached(judged, proved, about)
    files = {
        "timeline.jsonl": _timeline(hosts, began, judged),
        "observers.json": {"observers": seen, "card": judged.get("card", "").splitlines()},
        "versions.json": _versions(hosts),
        "result.json": result,
    }
    if judged:
        files["judgement.json"] = {key: value for key, value in judged.items() if key != "card"}
    return {"began": began, "seconds": seconds, "resumed": resumed, "files": files}


def _reached(judged: Mapping[str, Any], proved: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a failover reached at worst: the newest data are older than the moment at which the colo was lost.

    Nobody measures that moment. In tier synchronous nothing is lost, and no age tells when it was.
    """
    age = about.get("data_age_seconds")
    if not judged or age is None:
        return {}
    if about.get("tier") == "synchronous":
        return {"rto_s": None, "rpo_s": 0.0, "rpo_bookings": 0, "at_most": True}
    rate = judged.get("bookings_per_minute")
    return {
        "rto_s": round(age + _moment(proved) - _moment(str(judged["at"])), 1) if proved else None,
        "rpo_s": round(age, 1),
        "rpo_bookings": None if rate is None else round(rate * age / 60),
        "at_most": True,
    }


def _timeline(hosts: Sequence[Host], began: str, judged: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what happened when, each once and in order; what was done before, by an interrupted run, has no moment."""
    events = {(began, "the observers are asked")} if began else set()
    if judged.get("at"):
        events.add((str(judged["at"]), f"the verdict is {judged['verdict']}: {' '.join(judged['reasons'])}"))
    for fact, words in MOMENTS.items():
        told = {(str(host[fact]), words.format(host["inventory_hostname"])) for host in hosts if host.get(fact)}
        events |= told if "{}" in words else {*sorted(told)[-1:]}
    start = _moment(began) if began else 0.0
    return [{"at": at, "at_s": round(_moment(at) - start, 1), "what": what} for at, what in sorted(events)]


def _versions(hosts: Sequence[Host]) -> dict[str, Any]:
    """Return the versions of what performed it here, and of what took over, as far as it said."""
    here = {"understudy": _release(Path(__file__).resolve().parents[2])}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        here["ansible-core"] = importlib.metadata.version("ansible-core")
    there = {
        str(host["inventory_hostname"]): list(host["evidence_versions"]["stdout_lines"])
        for host in hosts
        if host.get("evidence_versions", {}).get("stdout_lines")
    }
    return {**here, "python": platform.python_version(), "hosts": there}


def _release(project: Path) -> str:
    """Return the version of the project in this folder; on a runner's host the name of the release that holds it."""
    told = re.search(r"^version: *(\S+)", (project / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    version = told[1] if told else "unknown"
    return project.parent.name if project.parent.name.startswith(f"{version}-") else version


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"failover_evidence": failover_evidence}
