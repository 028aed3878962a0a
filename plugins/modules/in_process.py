#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of another collection in Ansible's own process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: in_process
short_description: Run a module of another collection in Ansible's own process
version_added: "0.1.0"
author: The Understudy authors
description:
  - A module that imports openstacksdk needs a second of CPU for that before it asks anything. On the machine that runs
    Ansible it has been imported for the inventory already, and there this runs the module where it is.
  - The module's arguments, check mode, environment and result are as in a task of its own. As another user or on
    another host it runs as every module does.
options:
  module:
    description: Full name of the module.
    type: str
    required: true
  arguments:
    description: Its arguments, which the module checks itself.
    type: dict
    default: {}
notes:
  - The work is done by the action plugin of the same name.
"""

EXAMPLES = r"""
- name: Make the site's network
  understudy.hybrid.in_process:
    module: openstack.cloud.network
    arguments: {cloud: lab, name: understudy-lan}
"""

RETURN = r"""
"*":
  description: What the module returns.
  returned: always
  type: raw
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Say that the action plugin is missing: it never runs this."""
    options: dict[str, dict[str, object]] = {
        "module": {"type": "str", "required": True},
        "arguments": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(msg="plugins/action/in_process.py was not found; run make setup, which links this collection.")


if __name__ == "__main__":
    main()
