"""Say whether the lab is as a drill must find it, and leave it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab import crowd, faults, runners, servers
from lab.drills import reach, rows
from lab.drills.writers import NEW, OLD, public_address
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SERVERS = ("colo-was1", "colo-was2", "cloud-was1")
EDGES = ("colo-gw1", "cloud-gw1")
_ASKED = "witness1"
_STEP_SECONDS = 2

Members = dict[str, dict[str, Any]]


def members(lab: faults.Lab) -> Members:
    """Return the members of the database by name, as Patroni lists them; raises LabError when no host answers."""
    try:
        told = reach.on(lab, OLD, "sudo", "patronictl", "-c", "/etc/patroni/config.yml", "list", "--format", "json")
    except LabError:
        told = reach.on(lab, NEW, "sudo", "patronictl", "-c", "/etc/patroni/config.yml", "list", "--format", "json")
    return {each["Member"]: each for each in json.loads(told)}


def tier(found: Members) -> str:
    """Return the tier that the members show (pure)."""
    if NEW not in found:
        return rows.ARCHIVE
    return rows.SYNCHRONOUS if "Sync" in str(found[NEW]["Role"]) else rows.STANDBY


def leader(found: Members) -> str:
    """Return who leads; empty when nobody does (pure)."""
    return next((name for name, each in found.items() if each["Role"] == "Leader" and each["State"] == "running"), "")


def database_faults(found: Members, *, in_the_cloud: bool) -> list[str]:
    """Say what is wrong with the members, a sentence each (pure)."""
    told = []
    leader = found.get(OLD, {})
    if (leader.get("Role"), leader.get("State")) != ("Leader", "running"):
        told.append(f"{OLD} is {leader.get('Role', 'no member')} ({leader.get('State', 'unknown')}), and should lead.")
    if in_the_cloud and found.get(NEW, {}).get("State") != "streaming":
        told.append(f"{NEW} is {found.get(NEW, {}).get('State', 'no member')}, and should be streaming.")
    return told


def archive_faults(there: Iterable[str]) -> list[str]:
    """Say what of the database is in the cloud where tier archive has none (pure)."""
    return [f"{NEW} is still there, and tier archive has no database in the cloud."] if NEW in there else []


def edge_faults(edge: str, shown: str) -> list[str]:
    """Say which of the standing servers an edge does not send customers to, a sentence each (pure)."""
    states = dict(line.split()[:2] for line in shown.splitlines() if len(line.split()) > 1)
    return [f"{edge} sees {name} {states.get(name, 'not at all')}." for name in SERVERS if states.get(name) != "up"]


def wrong(lab: faults.Lab) -> list[str]:
    """Say what is not as it should be, a sentence each."""
    told = faults.active(lab)
    checks: Mapping[str, Callable[[], list[str]]] = {
        "the database": lambda: database_faults(
            members(lab), in_the_cloud=NEW in servers.addresses(lab.topology, lab.paths)
        ),
        "the names": lambda: _names(lab),
        "the runners": lambda: (
            [] if all(runners.ask(lab, host, "brake") for host in runners.HOSTS) else ["A runner is mute."]
        ),
        **{edge: lambda edge=edge: _edge(lab, edge) for edge in EDGES},  # type: ignore[misc]  # a default is no argument
    }
    for what, check in checks.items():
        try:
            told += check()
        except LabError as error:
            told.append(f"Nobody can tell how {what} is: {error}")
    return told


def wait(lab: faults.Lab, seconds: float) -> list[str]:
    """Wait until nothing is wrong; return what still is when the time is over."""
    deadline = time.monotonic() + seconds
    while (told := wrong(lab)) and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    return told


def _edge(lab: faults.Lab, edge: str) -> list[str]:
    return edge_faults(edge, reach.on(lab, edge, "sudo", "understudy-balancer", "show"))


def _names(lab: faults.Lab) -> list[str]:
    expected = sorted(public_address(lab, edge) for edge in EDGES)
    told = []
    for server in lab.topology.public_addresses(["dns"]):
        words = ["kdig", f"@{server}", f"{crowd.NAME}.", "A", "+short", "+timeout=2", "+retry=0"]
        found = sorted(reach.on(lab, _ASKED, *words).split())
        if found != expected:
            told.append(f"Name server {server} leads customers to {', '.join(found) or 'nowhere'}, not to both edges.")
    return told
