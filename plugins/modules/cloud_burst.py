#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make burst servers at once, say of one that it serves, or remove it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_burst
short_description: Make burst servers, enter them as serving, or remove them
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - C(building) asks for all servers at once and waits until each is ACTIVE and its SSH host keys, read from its console
    through the cloud's API, are recorded. A server that does not get there is not an error of the task; it is listed
    in RV(not_there) with the reason, and the others go on.
  - C(serving) writes into the servers' metadata that they serve, by which the inventory begins to list them.
  - C(absent) deletes servers by their id, waits until they are gone, and forgets their host keys.
  - Nothing is ever asked for twice, so a cloud that hangs cannot make a server twice.
options:
  state:
    description: What is to become of the servers.
    type: str
    choices: [building, serving, absent]
    required: true
  servers:
    description: >-
      The servers. C(building) takes C(name), C(address) (optional) and, of one that exists, C(id); the other states
      take C(name) and C(id).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the server.
        type: str
        required: true
      address:
        description: Address in the first network.
        type: str
      id:
        description: Id of a server that exists.
        type: str
  image:
    description: Id or name of the image, for C(building).
    type: str
    default: ""
  flavor:
    description: Name of the flavour, for C(building).
    type: str
    default: ""
  networks:
    description: Names of the networks in the order in which the server sees them, for C(building).
    type: list
    elements: str
    default: []
  security_groups:
    description: Names of security groups, for C(building).
    type: list
    elements: str
    default: []
  key_pair:
    description: Name of the key pair that new servers trust, for C(building).
    type: str
    default: ""
  authorized_keys:
    description: >-
      Public SSH keys that new servers trust beside the key pair's, for C(building). cloud-init gives them to the
      image's ordinary account.
    type: list
    elements: str
    default: []
  metadata:
    description: Metadata of new servers, or those to write for C(serving).
    type: dict
    default: {}
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
- name: Make two servers
  understudy.hybrid.cloud_burst:
    cloud: lab
    state: building
    servers: [{name: cloud-burst1, address: 10.210.2.51}, {name: cloud-burst2, address: 10.210.2.52}]
    image: 5f1c1e3e-6a0c-4a8e-9a55-3a3f0a7a4d5b
    flavor: was.small
    networks: [understudy-lan]
    known_hosts_file: /etc/ssh/ssh_known_hosts
"""

RETURN = r"""
servers:
  description: Name, C(id) and C(addresses) (network to address) of each server that got there.
  type: list
  elements: dict
  returned: always
not_there:
  description: Name, C(id) and C(reason) of each server that did not.
  type: list
  elements: dict
  returned: always
"""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import cloud_arrivals, known_hosts_file
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

POLL_SECONDS = 0.3
AT_ONCE = 8
SERVER = {"name": {"type": "str", "required": True}, "address": {"type": "str"}, "id": {"type": "str"}}


class Work:
    """What one run does with the cloud and the file of known hosts."""

    def __init__(self, module: AnsibleModule, connection: Any) -> None:
        self.asked: dict[str, Any] = module.params
        self.connection = connection
        self.deadline = time.monotonic() + self.asked["timeout_seconds"]
        self.path = Path(self.asked["known_hosts_file"])
        self.got: list[dict[str, Any]] = []
        self.failed: list[dict[str, str]] = []

    def building(self) -> bool:
        """Ask for what does not exist, then wait for all."""
        wanted = [each for each in self.asked["servers"] if not each.get("id")]
        waiting = {each["id"]: each["name"] for each in self.asked["servers"] if each.get("id")}
        if wanted:
            common = self._common()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for each, answer in zip(wanted, pool.map(lambda one: self._ask(one, common), wanted), strict=True):
                    if isinstance(answer, str):
                        self.failed.append({"name": each["name"], "id": "", "reason": answer})
                    else:
                        waiting[answer.id] = each["name"]
        arrivals = cloud_arrivals.wait(
            self.connection, self.path, waiting, lambda server: str(server.id), self.asked["timeout_seconds"]
        )
        self.got = [
            {"name": each.name, "id": each.id, "addresses": cloud_arrivals.addresses(each)} for each in arrivals.servers
        ]
        self.failed += [{"name": waiting[each], "id": each, "reason": why} for each, why in arrivals.missing.items()]
        return bool(wanted)

    def _common(self) -> dict[str, Any]:
        """Look up by name what every new server has."""
        compute, network = self.connection.compute, self.connection.network
        trusting = {"ssh_authorized_keys": self.asked["authorized_keys"]}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            flavour = pool.submit(compute.find_flavor, self.asked["flavor"], ignore_missing=False)
            image = pool.submit(self.connection.image.find_image, self.asked["image"], ignore_missing=False)
            networks = list(
                pool.map(lambda name: network.find_network(name, ignore_missing=False).id, self.asked["networks"])
            )
        return {
            "image_id": image.result().id,
            "flavor_id": flavour.result().id,
            "networks": networks,
            "key_name": self.asked["key_pair"] or None,
            "security_groups": [{"name": name} for name in self.asked["security_groups"]],
            "metadata": {name: str(value) for name, value in self.asked["metadata"].items()},
            "user_data": base64.b64encode(f"#cloud-config\n{json.dumps(trusting)}\n".encode()).decode(),
        }

    def _ask(self, one: dict[str, Any], common: dict[str, Any]) -> Any:
        """Ask for a server, once; return it, or why the cloud said no."""
        from openstack import exceptions  # noqa: PLC0415 - imported only where the cloud is asked

        nics = [{"uuid": network} for network in common["networks"]]
        if one.get("address") and nics:
            nics[0]["fixed_ip"] = one["address"]
        try:
            return self.connection.compute.create_server(name=one["name"], **{**common, "networks": nics})
        except exceptions.HttpException as problem:
            return f"the cloud refused it: {' '.join(str(problem).split())}"

    def serving(self) -> bool:
        """Write the metadata of servers that serve."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._mark, self.asked["servers"]))
        self.got = [{"name": each["name"], "id": each["id"], "addresses": {}} for each in self.asked["servers"]]
        return bool(self.asked["servers"])

    def _mark(self, one: dict[str, Any]) -> None:
        metadata = {name: str(value) for name, value in self.asked["metadata"].items()}
        self.connection.compute.set_server_metadata(one["id"], **metadata)

    def absent(self) -> bool:
        """Delete servers and wait until the cloud lists them no more."""
        wanted = {each["id"]: each["name"] for each in self.asked["servers"] if each.get("id")}
        there = {server.id for server in self.connection.compute.servers()} & set(wanted)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda identity: self.connection.compute.delete_server(identity, ignore_missing=True), there))
        left = set(there)
        while left:
            left &= {server.id for server in self.connection.compute.servers()}
            if left and time.monotonic() > self.deadline:
                reason = f"it is still listed {self.asked['timeout_seconds']} s after its deletion"
                self.failed += [{"name": wanted[each], "id": each, "reason": reason} for each in sorted(left)]
                break
            if left:
                time.sleep(POLL_SECONDS)
        gone = set(wanted) - left
        known_hosts_file.forget(self.path, set(), gone)
        self.got = [{"name": wanted[each], "id": each, "addresses": {}} for each in sorted(gone)]
        return bool(there)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=CLOUD_OPTIONS
        | {
            "state": {"type": "str", "choices": ["building", "serving", "absent"], "required": True},
            "servers": {"type": "list", "elements": "dict", "required": True, "options": SERVER},
            "image": {"type": "str", "default": ""},
            "flavor": {"type": "str", "default": ""},
            "networks": {"type": "list", "elements": "str", "default": []},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "key_pair": {"type": "str", "default": "", "no_log": False},
            "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "metadata": {"type": "dict", "default": {}},
            "known_hosts_file": {"type": "path", "required": True},
            "timeout_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    asked = module.params
    if not asked["servers"] or module.check_mode:
        module.exit_json(changed=bool(asked["servers"]), servers=[], not_there=[])

    def carry_out(connection: Any) -> tuple[bool, Work]:
        work = Work(module, connection)
        return {"building": work.building, "serving": work.serving, "absent": work.absent}[asked["state"]](), work

    changed, work = work_with(module, carry_out, "What was begun is found by the next run; servers that serve go on.")
    module.exit_json(changed=changed, servers=work.got, not_there=work.failed)


if __name__ == "__main__":
    main()
