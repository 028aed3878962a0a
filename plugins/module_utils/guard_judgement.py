"""Judge whether there is anything of a database where none may be: on the cloud's hosts and in its storage.

Pure: what was found comes in, sentences go out. A sentence names what was found and where; none means nothing was.

Sources: names in pgBackRest's repository (user guide and 2.55's own), which begins every encrypted file with OpenSSL's
`Salted__`; PostgreSQL's pg_dump writes `PGDMP` or a comment at the beginning of what it dumps; /proc/net/tcp is
described in proc(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ENCRYPTED = b"Salted__"
PORTS = (5432, 5433, 6432, 8008)  # PostgreSQL and its second cluster, PgBouncer, Patroni
PROGRAMS = ("postgres", "postmaster", "patroni", "pgbouncer")
NAMED = 3
_DUMP = (b"PGDMP", b"-- PostgreSQL database dump", b"--\n-- PostgreSQL database dump")
_LISTENING = "0A"
_SEGMENT = r"[0-9A-F]{16}/[0-9A-F]{24}(?:\.partial)?(?:-[0-9a-f]{40})?(?:\.[0-9A-F]{8}\.backup)?(?:\.\w+)?"
_SEGMENTS = rf"(?:{_SEGMENT}|[0-9A-F]{{8}}\.history)"


@dataclass(frozen=True)
class Server:
    """A server as Compute lists it; `age_seconds` since it was made, `open_ports` of a database that answered."""

    name: str
    metadata: Mapping[str, str]
    age_seconds: float
    open_ports: tuple[int, ...] = ()


def is_dump(head: bytes) -> bool:
    """Tell whether a file begins as a dump in clear does."""
    return head.lstrip(b"\xef\xbb\xbf\r\n ").startswith(_DUMP)


def listening(table: str) -> dict[str, tuple[str, int]]:
    """Read /proc/net/tcp or tcp6: the inode of each listening socket to its address (as written there) and port."""
    found = {}
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) > 9 and columns[3] == _LISTENING:
            address, port = columns[1].rsplit(":", 1)
            found[columns[9]] = (address, int(port, 16))
    return found


def judge_host(programs: Iterable[tuple[int, str]], doors: Iterable[tuple[int, str]], places: Iterable[str],
               dumps: Iterable[str]) -> list[str]:  # fmt: skip
    """Say what of a database a host has. `programs`: process and name; `doors`: port and the program that listens."""
    said = [f"process {identity} is {name}" for identity, name in sorted(programs)]
    said += [f"{name} listens on port {port}" for port, name in sorted(doors)]
    said += [f"{place} is a directory of PostgreSQL's data" for place in sorted(places)]
    return said + [f"{dump} is a dump of a database in clear" for dump in sorted(dumps)]


def judge_servers(
    servers: Sequence[Server],
    known: Iterable[str],
    allowed: Iterable[str],
    throwaway: Iterable[str],
    throwaway_seconds: float,
) -> list[str]:
    """Say which servers of the project have no business there. Known ones are looked into on the host itself."""
    said: list[str] = []
    familiar, permitted, passing = set(known), set(allowed), set(throwaway)
    for server in servers:
        if server.name in permitted:
            continue
        if "database" in server.metadata.get("understudy_function", "").split(","):
            said.append(f"server {server.name} is a database host of this cloud, and none is declared")
        elif server.name in passing and "understudy_proof" in server.metadata:
            if server.age_seconds > throwaway_seconds:
                said.append(
                    f"server {server.name} of a proof or rehearsal is {server.age_seconds / 60:.0f} minutes old, and "
                    "still there"
                )
        elif server.open_ports:
            ports = ", ".join(map(str, server.open_ports))
            said.append(f"server {server.name} answers on port {ports}, as a database does")
        elif server.name not in familiar and not any(key.startswith("understudy_") for key in server.metadata):
            said.append(f"server {server.name} is in the project, and nobody here knows what it holds")
    return said


def judge_volumes(volumes: Iterable[tuple[str, int]]) -> list[str]:
    """Say that there are volumes: nothing of this project has one, so a database may be on it."""
    return [f"volume {name} of {size} GB is in the project, and nothing here has volumes" for name, size in volumes]


def belongs(name: str, path: str, stanza: str) -> bool:
    """Tell whether an object can be of pgBackRest's repository at this path of the bucket."""
    place = re.escape(path.strip("/"))
    label = r"(?:\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?|latest|backup\.history)"
    within = (
        rf"archive/{re.escape(stanza)}/(?:archive\.info(?:\.copy)?|[^/]+/{_SEGMENTS})",
        rf"backup/{re.escape(stanza)}/(?:backup\.info(?:\.copy)?|{label}(?:/.+)?)",
    )
    return any(re.fullmatch(rf"{place}/{each}", name) for each in within)


def judge_objects(bucket: str, strange: Sequence[str], clear: Sequence[str]) -> list[str]:
    """Say which objects are none of the repository, and which of it are not encrypted."""
    said = []
    if strange:
        said.append(f"bucket {bucket} holds what is none of the encrypted backups: {_listed(strange)}")
    if clear:
        said.append(f"bucket {bucket} holds backups in clear: {_listed(clear)}")
    return said


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{rest}"
