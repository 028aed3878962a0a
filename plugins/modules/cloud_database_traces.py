#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for anything of a database in a cloud's project: servers, volumes, and objects that are no encrypted backup."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_database_traces
short_description: Look for anything of a database in a cloud's project
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - Asks Compute for all servers of the project, also those that no inventory knows, and knocks at their ports of
    databases; Block Storage, where there is one, for volumes; Object Storage for objects of any bucket that are not of
    pgBackRest's repository, and reads the first bytes of those of the repository that are new, which are encrypted.
  - Changes nothing.
options:
  known_servers:
    description: Servers that are looked into on the host itself.
    type: list
    elements: str
    default: []
  allowed_servers:
    description: Servers that may hold a database now.
    type: list
    elements: str
    default: []
  throwaway_servers:
    description: Names of the throwaway servers of proofs and rehearsals.
    type: list
    elements: str
    default: []
  throwaway_seconds:
    description: How old such a one may be.
    type: int
    default: 7200
  bucket:
    description: The bucket of the backups. Empty when there is none.
    type: str
    default: ""
  path:
    description: Where in the bucket the repository lies.
    type: str
    default: ""
  stanza:
    description: Name of the database in pgBackRest's configuration.
    type: str
    default: ""
  new_hours:
    description: Objects of the repository that are younger are read.
    type: float
    default: 26
"""

EXAMPLES = r"""
- name: Look
  understudy.hybrid.cloud_database_traces:
    cloud: lab
    known_servers: [cloud-gw1, cloud-was1, cloud-ops1]
    bucket: understudy-backup
    path: /understudy
    stanza: understudy
"""

RETURN = r"""
traces:
  description: What was found, a sentence's end each.
  type: list
  elements: str
  returned: always
looked:
  description: How many servers, volumes and objects were looked at, and how many objects were read.
  type: dict
  returned: always
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import guard_judgement
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

AT_ONCE = 8
KNOCK_SECONDS = 1.0


def answers(address: str, port: int) -> bool:
    """Tell whether somebody opens at this port."""
    try:
        with socket.create_connection((address, port), KNOCK_SECONDS):
            return True
    except OSError:
        return False


def moment(text: str) -> float:
    """Read a time of the cloud's, which is UTC whether it says so or not, as seconds since the epoch."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


class Look:
    """What one look at the project finds."""

    def __init__(self, module: AnsibleModule, connection: Any) -> None:
        self.asked: dict[str, Any] = module.params
        self.connection = connection
        self.now = time.time()
        self.looked: dict[str, int] = {"servers": 0, "volumes": 0, "objects": 0, "read": 0}

    def servers(self) -> list[str]:
        """Look at every server of the project."""
        listed = list(self.connection.compute.servers())
        doors = [
            (server.id, str(entry["addr"]), port)
            for server in listed
            for network in (server.addresses or {}).values()
            for entry in network
            for port in guard_judgement.PORTS
        ]
        with ThreadPoolExecutor(AT_ONCE * 4) as pool:
            opened = list(pool.map(lambda door: answers(door[1], door[2]), doors))
        found: dict[str, set[int]] = {}
        for door, is_open in zip(doors, opened, strict=True):
            if is_open:
                found.setdefault(door[0], set()).add(door[2])
        self.looked["servers"] = len(listed)
        seen = [
            guard_judgement.Server(
                server.name,
                dict(server.metadata or {}),
                self.now - moment(server.created_at),
                tuple(sorted(found.get(server.id, ()))),
            )
            for server in listed
        ]
        asked = self.asked
        return guard_judgement.judge_servers(
            seen,
            asked["known_servers"],
            asked["allowed_servers"],
            asked["throwaway_servers"],
            asked["throwaway_seconds"],
        )

    def volumes(self) -> list[str]:
        """Look for volumes, where the cloud has any."""
        if not self.connection.has_service("block-storage"):
            return []
        listed = [(each.name or each.id, each.size) for each in self.connection.block_storage.volumes()]
        self.looked["volumes"] = len(listed)
        return guard_judgement.judge_volumes(listed)

    def objects(self) -> list[str]:
        """Look at every object of every bucket, and read the first bytes of new backups."""
        said = []
        for bucket in self.connection.object_store.containers():
            listed = list(self.connection.object_store.objects(bucket.name))
            self.looked["objects"] += len(listed)
            ours = bucket.name == self.asked["bucket"]
            of_backups = {
                each.name
                for each in listed
                if ours and guard_judgement.belongs(each.name, self.asked["path"], self.asked["stanza"])
            }
            strange = sorted(each.name for each in listed if each.name not in of_backups)
            since = self.now - self.asked["new_hours"] * 3600
            new = [each.name for each in listed if each.name in of_backups and moment(each.last_modified_at) > since]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                encrypted = list(pool.map(lambda name, place=bucket.name: self._is_encrypted(place, name), new))
            self.looked["read"] += len(new)
            clear = sorted(name for name, is_sealed in zip(new, encrypted, strict=True) if not is_sealed)
            said += guard_judgement.judge_objects(bucket.name, strange, clear)
        return said

    def _is_encrypted(self, bucket: str, name: str) -> bool:
        """Read how an object begins; one that went meanwhile is none in clear."""
        length = len(guard_judgement.ENCRYPTED)
        store = self.connection.object_store
        answer = store.get(f"/{bucket}/{name}", headers={"Range": f"bytes=0-{length - 1}"})
        if answer.status_code == 404:
            return True
        return bool(answer.content[:length] in (guard_judgement.ENCRYPTED, b""))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=CLOUD_OPTIONS
        | {
            "known_servers": {"type": "list", "elements": "str", "default": []},
            "allowed_servers": {"type": "list", "elements": "str", "default": []},
            "throwaway_servers": {"type": "list", "elements": "str", "default": []},
            "throwaway_seconds": {"type": "int", "default": 7200},
            "bucket": {"type": "str", "default": ""},
            "path": {"type": "str", "default": ""},
            "stanza": {"type": "str", "default": ""},
            "new_hours": {"type": "float", "default": 26},
        },
        supports_check_mode=True,
    )

    def carry_out(connection: Any) -> tuple[list[str], dict[str, int]]:
        look = Look(module, connection)
        return look.servers() + look.volumes() + look.objects(), look.looked

    traces, looked = work_with(module, carry_out, "Whether a database is in the cloud is not known.")
    module.exit_json(changed=False, traces=traces, looked=looked)


if __name__ == "__main__":
    main()
