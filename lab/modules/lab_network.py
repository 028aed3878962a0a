#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build the lab's network."""

from ansible.module_utils.basic import AnsibleModule

from lab import network, topology
from lab.errors import LabError
from lab.paths import Paths

DOCUMENTATION = """
module: lab_network
short_description: Build the lab's network
description:
  - Builds and mends the sites' switches, the internet between them and the management network.
  - Every host gets a network namespace of its own.
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Build the network
  lab_network:
"""

RETURN = """
missing:
  description: What had to be built, as far as check mode can tell beforehand.
  returned: always
  type: list
  elements: str
  sample: ["namespace us-wan"]
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    paths = Paths()
    try:
        wanted = topology.load()
        missing = network.missing(wanted, paths)
        changed = bool(missing) if module.check_mode else network.ensure(wanted, paths)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, missing=missing)


if __name__ == "__main__":
    main()
