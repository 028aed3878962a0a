#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the configuration of the cloud's services."""

from ansible.module_utils.basic import AnsibleModule

from lab import cloud_configuration, cloud_settings, topology
from lab.cloud_layout import Layout
from lab.errors import LabError

DOCUMENTATION = """
module: lab_cloud_configuration
short_description: Write the configuration of the cloud's services
description:
  - Makes the passwords and the certificates once, and renders the role's templates in one pass.
  - Addresses come from the lab's topology. No secret passes through Ansible.
options:
  region:
    description: The name of the only region.
    type: str
    required: true
  project:
    description: The project that the operator works in.
    type: str
    required: true
  server_quota:
    description: How many servers a project may have.
    type: int
    required: true
  flavours:
    description: Sizes of servers; O(flavours[].ram) in MiB, O(flavours[].disk) in GiB.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name.
        type: str
        required: true
      ram:
        description: The memory in MiB.
        type: int
        required: true
      vcpus:
        description: The number of processors.
        type: int
        required: true
      disk:
        description: The disk in GiB.
        type: int
        required: true
  api_names:
    description: The DNS names in the certificate of the public endpoints, the common name first.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    description: Tells whether anything would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Write the configuration
  lab_cloud_configuration:
    region: lab
    project: understudy
    server_quota: 20
    flavours: [{name: was.small, ram: 512, vcpus: 1, disk: 1}]
    api_names: [api.cloud.understudy.test]
"""

RETURN = """# Nothing but changed."""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=cloud_settings.ARGUMENT_SPEC, supports_check_mode=True)
    layout = Layout()
    try:
        settings = cloud_settings.of(topology.load(), **module.params)
        if module.check_mode:
            changed = cloud_configuration.differs(layout, settings)
        else:
            changed = cloud_configuration.write(layout, settings)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
