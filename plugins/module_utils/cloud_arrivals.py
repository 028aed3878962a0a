"""Wait until servers have arrived: ACTIVE, and their SSH host keys, printed to the console, are recorded."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import known_hosts_file, ssh_known_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

POLL_SECONDS = 0.3


@dataclass
class Arrivals:
    """Who has come, whose keys are new, and who has not come: key to reason."""

    servers: list[Any] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def addresses(server: Any) -> dict[str, str]:
    """Map each network of a server to its first address there."""
    return {network: str(entries[0]["addr"]) for network, entries in (server.addresses or {}).items() if entries}


def wait(
    connection: Any, path: Path, keys: Iterable[str], key: Callable[[Any], str], timeout_seconds: float
) -> Arrivals:
    """Wait for the servers of which `key` is among `keys`; what the time does not suffice for is missing."""
    arrivals, waiting = Arrivals(), dict.fromkeys(keys, "not listed")
    known = ssh_known_hosts.known_servers(known_hosts_file.read(path))
    end = time.monotonic() + timeout_seconds
    while waiting:
        listed = {key(server): server for server in connection.compute.servers()}
        for each in list(waiting):
            server = listed.get(each)
            waiting[each] = server.status if server else "not listed"
            if server is None or server.status == "BUILD":
                continue
            if server.status == "ERROR":
                reason = (server.fault or {}).get("message", "no reason given")
                arrivals.missing[each] = f"it went to ERROR: {reason}"
                del waiting[each]
            elif server.id in known or _record(connection, path, server, arrivals):
                arrivals.servers.append(server)
                del waiting[each]
            else:
                waiting[each] = f"{server.status}, without host keys on its console"
        if waiting and time.monotonic() > end:
            arrivals.missing |= {each: f"after {timeout_seconds:g} s it is {state}" for each, state in waiting.items()}
            break
        if waiting:
            time.sleep(POLL_SECONDS)
    return arrivals


def _record(connection: Any, path: Path, server: Any, arrivals: Arrivals) -> bool:
    output = connection.compute.get_server_console_output(server, length=None) or {}
    keys = ssh_known_hosts.keys_from_console(output.get("output") or "")
    if keys:
        everywhere = [str(entry["addr"]) for network in (server.addresses or {}).values() for entry in network]
        known_hosts_file.remember(path, [server.name, *everywhere], keys, server.id)
        arrivals.recorded.append(server.name)
    return bool(keys)
