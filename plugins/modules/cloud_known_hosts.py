#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for servers and record their SSH host keys, read from the console through the cloud's API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_known_hosts
short_description: Wait for servers and record their SSH host keys
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - Waits until every named server is ACTIVE and cloud-init has printed its SSH host keys to the console, then writes
    them into a known_hosts file under every address and the name of the server. The console is read through the
    cloud's API, whose certificate is verified, so the first SSH connection is already a verified one.
  - Entries carry the id of their server. A server that was made anew under the same name or address replaces its
    predecessor's entries.
options:
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

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import cloud_arrivals, known_hosts_file, ssh_known_hosts
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with


def present(module: AnsibleModule, path: Path, names: set[str]) -> list[str]:
    """Record the keys of every server; return the names that were new. Fails for those that did not come in time."""
    arrivals = work_with(
        module,
        lambda connection: cloud_arrivals.wait(
            connection, path, names, lambda server: str(server.name), module.params["timeout_seconds"]
        ),
        "Keys that were read before are recorded.",
    )
    if arrivals.missing:
        told = "; ".join(f"{name}: {why}" for name, why in sorted(arrivals.missing.items()))
        module.fail_json(
            msg=f"Not every server came: {told}. Look at its console log: does the image run cloud-init? "
            "Delete a server that is in ERROR, mend the cause, and run this again."
        )
    return list(arrivals.recorded)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=CLOUD_OPTIONS
        | {
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
    recorded = [] if module.check_mode else present(module, path, names)
    module.exit_json(changed=bool(recorded), recorded=recorded)


if __name__ == "__main__":
    main()
