#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove what is left of a lab."""

from ansible.module_utils.basic import AnsibleModule

from lab import machine, sweep, topology
from lab.errors import LabError
from lab.paths import Paths

DOCUMENTATION = """
module: lab_sweep
short_description: Remove what is left of a lab
description:
  - Removes what an earlier lab left behind, or all of the lab but its cache.
options:
  what:
    description:
      - V(stale) removes only what this lab does not have; a running lab goes on.
      - V(everything) removes the lab; images stay in the cache.
    type: str
    choices: [stale, everything]
    default: stale
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Remove what an earlier lab left
  lab_sweep:

- name: Remove the lab
  lab_sweep:
    what: everything
"""

RETURN = """
found:
  description: What there was to remove.
  returned: always
  type: list
  elements: str
  sample: ["Namespace us-wan exists."]
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"what": {"type": "str", "choices": ["stale", "everything"], "default": "stale"}},
        supports_check_mode=True,
    )
    paths = Paths()
    try:
        if module.params["what"] == "everything":
            found = sweep.leftovers(paths)
            if found and not module.check_mode:
                sweep.everything(machine.detect(paths), paths)
        else:
            found = sweep.find_stale(paths, topology.load())
            if found and not module.check_mode:
                sweep.remove_stale(paths, topology.load())
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(found), found=found)


if __name__ == "__main__":
    main()
