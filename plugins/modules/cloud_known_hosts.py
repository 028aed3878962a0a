#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for servers and record their SSH host keys, read from the console through the cloud's API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_known_hosts
short_description: Wait for servers and record their SSH host keys
version_added: "0.1.0"
author: The Understudy authors
description:
  - Waits until every named server is ACTIVE and cloud-init has printed its SSH host keys to the console, then writes
    them into a known_hosts file under every address and the name of the server. The console is read through the
    cloud's API, whose certificate is verified, so the first SSH connection is already a verified one.
  - Entries carry the id of their server. A server that was made anew under the same name or address replaces its
    predecessor's entries.
options:
  cloud:
    description: Entry of clouds.yaml.
    type: str
    required: true
  servers:
    description: Names of the servers.
    type: list
    elements: str
    required: true
  path:
    description: The known_hosts file; made with mode 0644 when missing.
    type: path
    required: true
  state:
    description: Whether the servers' keys are to be recorded or forgotten.
    type: str
    choices: [present, absent]
    default: present
  timeout_seconds:
    description: How long all of it may take.
    type: int
    default: 180
"""

EXAMPLES = r"""
- name: Wait until the servers can be reached by SSH with known keys
  understudy.hybrid.cloud_known_hosts:
    cloud: lab
    servers: [cloud-was1, cloud-was2]
    path: /etc/ssh/ssh_known_hosts
"""

RETURN = r"""
recorded:
  description: Names of the servers whose keys were written in this run.
  type: list
  elements: str
  returned: always
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import known_hosts_file, ssh_known_hosts

POLL_SECONDS = 0.5


def addresses(server: Any) -> list[str]:
    """List every fixed and floating address of a server."""
    return [str(entry["addr"]) for network in (server.addresses or {}).values() for entry in network]


def wait_for(module: AnsibleModule, connection: Any, names: list[str], known: set[str]) -> list[tuple[Any, list[str]]]:
    """Return (server, keys) of each server, keys empty when its id is in `known`; fail after the time limit."""
    deadline = time.monotonic() + module.params["timeout_seconds"]
    done: dict[str, tuple[Any, list[str]]] = {}
    waiting = dict.fromkeys(names, "not there")
    while waiting:
        listed = {server.name: server for server in connection.compute.servers()}
        for name in list(waiting):
            server = listed.get(name)
            waiting[name] = server.status if server else "not there"
            if server is None or server.status == "BUILD":
                continue
            if server.status == "ERROR":
                fault = (server.fault or {}).get("message", "no reason given")
                module.fail_json(
                    msg=f"Server {name} went to ERROR: {fault}. Delete it, mend the cause, and run this again."
                )
            keys = [] if server.id in known else console_keys(connection, server)
            if keys or server.id in known:
                done[name] = (server, keys)
                del waiting[name]
            else:
                waiting[name] = f"{server.status}, no host keys on its console"
        if waiting and time.monotonic() > deadline:
            module.fail_json(
                msg="Not ready after {}: {}. Look at the console log; does the image run cloud-init?".format(
                    f"{module.params['timeout_seconds']} s",
                    "; ".join(f"{name}: {state}" for name, state in waiting.items()),
                )
            )
        if waiting:
            time.sleep(POLL_SECONDS)
    return list(done.values())


def console_keys(connection: Any, server: Any) -> list[str]:
    """Return the host keys on the server's console, empty while they are not there."""
    output = connection.compute.get_server_console_output(server, length=None) or {}
    return ssh_known_hosts.keys_from_console(output.get("output") or "")


def present(module: AnsibleModule, connection: Any, path: Path) -> list[str]:
    """Record the keys of every server; return the names that were new."""
    recorded: list[str] = []
    known = ssh_known_hosts.known_servers(known_hosts_file.read(path))
    for server, keys in wait_for(module, connection, module.params["servers"], known):
        if keys:
            known_hosts_file.remember(path, [server.name, *addresses(server)], keys, server.id)
            recorded.append(server.name)
    return recorded


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "cloud": {"type": "str", "required": True},
            "servers": {"type": "list", "elements": "str", "required": True},
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "timeout_seconds": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    path, names = Path(module.params["path"]), set(module.params["servers"])
    if module.params["state"] == "absent":
        lines = known_hosts_file.read(path)
        changed = ssh_known_hosts.without(lines, names, set()) != lines
        if not module.check_mode:
            changed = known_hosts_file.forget(path, names, set())
        module.exit_json(changed=changed, recorded=[])
    if module.check_mode:
        module.exit_json(changed=False, recorded=[])
    try:
        import openstack  # noqa: PLC0415 - imported only where the cloud is asked
    except ImportError:
        module.fail_json(
            msg="The Python package openstacksdk is missing; run make setup, or install it for this interpreter."
        )
    recorded = present(module, openstack.connect(cloud=module.params["cloud"]), path)
    module.exit_json(changed=bool(recorded), recorded=recorded)


if __name__ == "__main__":
    main()
