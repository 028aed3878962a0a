#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start the lab's cloud."""

from ansible.module_utils.basic import AnsibleModule

from lab import cloud
from lab.cloud_layout import Layout
from lab.errors import LabError

DOCUMENTATION = """
module: lab_cloud
short_description: Start the lab's cloud
description:
  - Starts OpenStack in its own namespaces, or what of it does not run. Does not wait until it serves.
  - A cloud with an older configuration is started anew.
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Start OpenStack
  lab_cloud:
"""

RETURN = """# Nothing but changed."""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    layout = Layout()
    try:
        is_as_wanted = cloud.is_running(layout) and cloud.is_current(layout)
        changed = not is_as_wanted if module.check_mode else cloud.start(layout)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
