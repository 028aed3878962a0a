#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell whether this machine can carry the lab."""

import dataclasses

from ansible.module_utils.basic import AnsibleModule

from lab import machine
from lab.errors import LabError
from lab.paths import Paths

DOCUMENTATION = """
module: lab_machine
short_description: Tell whether this machine can carry the lab
description:
  - Looks at the machine without changing it, and fails with one sentence for each thing that is missing.
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Refuse a machine that cannot carry the lab
  lab_machine:
  register: __lab_machine
"""

RETURN = """
machine:
  description: What was found. Sizes are in MiB.
  returned: always
  type: dict
  sample: {"distribution": "debian", "version": "12", "init": "systemd", "cgroup": "unified"}
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    found = machine.detect(Paths())
    try:
        machine.require(found)
    except LabError as error:
        module.fail_json(msg=str(error), machine=dataclasses.asdict(found))
    module.exit_json(changed=False, machine=dataclasses.asdict(found))


if __name__ == "__main__":
    main()
