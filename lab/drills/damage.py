"""Damage the newest backup in the object storage, and mend it: a flipped byte, by pgBackRest's own commands."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from lab import faults, ssh
from lab.commands import attempt
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "colo-db1"
_WHOLE = "/var/lib/postgresql/understudy_drill_object"  # the object as it was, until it is put back
_NAME = f"{_WHOLE}.name"
_DATA = ("pg_data/", "bundle/")  # small files lie in bundles
_FLIP = "import sys; b = bytearray(sys.stdin.buffer.read()); b[len(b) // 2] ^= 255; sys.stdout.buffer.write(b)"


def corrupt(lab: faults.Lab) -> Mapping[str, str]:
    """Flip a byte of an object of the newest backup; return which, and keep it as it was beside the database."""
    told = json.loads(_as_postgres(lab, "pgbackrest info --output=json"))
    stanza, label = told[0]["name"], told[0]["backup"][-1]["label"]
    listed = json.loads(_as_postgres(lab, f"pgbackrest repo-ls --recurse --output=json backup/{stanza}/{label}"))
    name = largest(listed)
    path = f"backup/{stanza}/{label}/{name}"
    _as_postgres(
        lab,
        f"pgbackrest repo-get --raw {path} > {_WHOLE} && test -s {_WHOLE} && echo {path} > {_NAME} && "
        f"python3 -c {shlex.quote(_FLIP)} < {_WHOLE} | pgbackrest repo-put --raw {path}",
    )
    return {"damaged": path}


def mend(lab: faults.Lab) -> None:
    """Put the object back as it was, if one was damaged; safe to repeat."""
    _as_postgres(
        lab, f"test ! -s {_NAME} || {{ pgbackrest repo-put --raw $(cat {_NAME}) < {_WHOLE} && rm {_NAME} {_WHOLE}; }}"
    )


def largest(listed: Mapping[str, Mapping[str, object]]) -> str:
    """Return the largest object of data in a list of pgBackRest (pure); raises LabError when there is none."""
    sizes = {
        name: int(str(each.get("size", 0)))
        for name, each in listed.items()
        if each.get("type") == "file" and name.startswith(_DATA)
    }
    if not sizes:
        raise LabError("The newest backup has no objects of data to damage; take one first: playbooks/take_backup.yml.")
    return max(sizes, key=lambda name: (sizes[name], name))


def _as_postgres(lab: faults.Lab, command: str) -> str:
    words = shlex.join(["sudo", "-u", "postgres", "bash", "-o", "pipefail", "-c", command])
    done = attempt(ssh.command(lab.paths, faults.management_address(lab, HOST), words), timeout_seconds=90)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
        raise LabError(f"{HOST}: pgBackRest did not do as asked: {said}")
    return done.stdout.decode()
