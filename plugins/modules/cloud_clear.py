#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete throwaway servers with all that belongs to them, and prove that nothing of them is left."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_clear
short_description: Delete throwaway servers with all that belongs to them, and prove that nothing of them is left
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - Deletes servers by their names, their ports, the volumes that are attached to them or have their names, and
    security groups; then asks Compute, Network and Block Storage whether they still list any of it, and fails when one
    does. A cloud whose catalogue has no block storage can have no volumes.
  - What is not there is no error, so that it also clears what an interrupted run left.
options:
  servers:
    description: Names of the servers.
    type: list
    elements: str
    required: true
  security_groups:
    description: Names of the security groups.
    type: list
    elements: str
    default: []
  known_hosts_file:
    description: Where SSH host keys are recorded.
    type: path
    required: true
  timeout_seconds:
    description: How long all of it may take.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Leave nothing of the proof
  understudy.hybrid.cloud_clear:
    cloud: lab
    servers: [cloud-proof1]
    security_groups: [understudy-proof]
    known_hosts_file: /etc/ssh/ssh_known_hosts
"""

RETURN = r"""
removed:
  description: What was deleted, such as C(server cloud-proof1).
  type: list
  elements: str
  returned: always
asked:
  description: The services that were asked at the end, and list nothing of it any more.
  type: list
  elements: str
  returned: always
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import known_hosts_file
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

POLL_SECONDS = 0.5


class Work:
    """What one run does with the cloud. Servers that were seen are remembered: their ports outlive their names."""

    def __init__(self, module: AnsibleModule, connection: Any) -> None:
        self.asked: dict[str, Any] = module.params
        self.connection = connection
        self.has_volumes = connection.has_service("block-storage")
        self.identities: set[str] = set()
        self.attached: set[str] = set()

    def there(self) -> dict[str, tuple[Any, Any]]:
        """List what is there: its name to itself and how it is deleted, the first to go first."""
        compute, network = self.connection.compute, self.connection.network
        found: dict[str, tuple[Any, Any]] = {}
        for server in compute.servers():
            if server.name in self.asked["servers"]:
                self.identities.add(server.id)
                self.attached |= {each["id"] for each in server.attached_volumes or []}
                found[f"server {server.name}"] = (server, compute.delete_server)
        for port in network.ports():
            if port.device_id in self.identities or port.name in self.asked["servers"]:
                found[f"port {port.id}"] = (port, network.delete_port)
        if self.has_volumes:
            volumes = self.connection.block_storage
            for volume in volumes.volumes():
                if volume.id in self.attached or volume.name in self.asked["servers"]:
                    found[f"volume {volume.name or volume.id}"] = (volume, volumes.delete_volume)
        for group in network.security_groups():
            if group.name in self.asked["security_groups"]:
                found[f"security group {group.name}"] = (group, network.delete_security_group)
        return found

    def clear(self) -> tuple[list[str], list[str]]:
        """Delete until nothing is listed or the time is over; return what went, and what is left."""
        end = time.monotonic() + self.asked["timeout_seconds"]
        removed: dict[str, None] = {}
        while found := self.there():
            removed |= dict.fromkeys(found)
            self._delete(found)
            if time.monotonic() > end:
                return [each for each in removed if each not in found], sorted(found)
            time.sleep(POLL_SECONDS)
        known_hosts_file.forget(Path(self.asked["known_hosts_file"]), set(self.asked["servers"]), self.identities)
        return list(removed), []

    def _delete(self, found: dict[str, tuple[Any, Any]]) -> None:
        from openstack import exceptions  # noqa: PLC0415 - imported only where the cloud is asked

        # A server takes its ports and its volumes along, and a group in use cannot go: each waits for the one before.
        kind = next(iter(found)).split(" ", 1)[0]
        for name, (resource, delete) in found.items():
            if name.startswith(kind) and getattr(resource, "task_state", None) != "deleting":
                with contextlib.suppress(exceptions.ConflictException):
                    delete(resource, ignore_missing=True)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=CLOUD_OPTIONS
        | {
            "servers": {"type": "list", "elements": "str", "required": True},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "known_hosts_file": {"type": "path", "required": True},
            "timeout_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    consequence = "What is left is cleared by the next run."

    def carry_out(connection: Any) -> tuple[list[str], list[str], bool]:
        work = Work(module, connection)
        if module.check_mode:
            return sorted(work.there()), [], work.has_volumes
        return (*work.clear(), work.has_volumes)

    removed, left, has_volumes = work_with(module, carry_out, consequence)
    if left:
        module.fail_json(
            msg=f"Cloud {module.params['cloud']} still lists {', '.join(left)} after "
            f"{module.params['timeout_seconds']} s. Look at it with `openstack server show`. {consequence}",
            removed=removed,
            left=left,
        )
    asked = ["compute", "network", *(["block storage"] if has_volumes else [])]
    module.exit_json(changed=bool(removed), removed=removed, asked=asked)


if __name__ == "__main__":
    main()
