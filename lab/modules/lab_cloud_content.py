#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fill the lab's cloud."""

from ansible.module_utils.basic import AnsibleModule

from lab import cloud_content, cloud_image, cloud_settings, machine, topology
from lab.cloud_layout import Layout
from lab.errors import LabError
from lab.images import RELEASES

DOCUMENTATION = """
module: lab_cloud_content
short_description: Fill the lab's cloud
description:
  - Makes the catalogue, users, S3 credentials, flavours, provider networks and the image, as each API comes up.
  - Writes the operator's C(clouds.yaml) and C(s3.env), and returns when the cloud takes servers.
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
  release:
    description: The Debian release of the image, which must have been built.
    type: str
    choices: [trixie, bookworm]
    default: trixie
  deadline_seconds:
    description: How long to wait for the control plane in all.
    type: float
    default: 240
attributes:
  check_mode:
    support: none
    description: What a cloud holds is known only to a cloud that runs.
author:
  - Understudy
"""

EXAMPLES = """
- name: Wait for the control plane and fill it
  lab_cloud_content:
    region: lab
    project: understudy
    server_quota: 20
    flavours: [{name: was.small, ram: 512, vcpus: 1, disk: 1}]
    api_names: [api.cloud.understudy.test]
"""

RETURN = """
made:
  description: What was missing.
  returned: always
  type: list
  elements: str
  sample: ["flavour was.small", "network public"]
"""


def main() -> None:
    """Run the module."""
    own = {
        "release": {"type": "str", "choices": list(RELEASES), "default": "trixie"},
        "deadline_seconds": {"type": "float", "default": 240},
    }
    module = AnsibleModule(argument_spec={**cloud_settings.ARGUMENT_SPEC, **own})
    parameters = dict(module.params)
    layout, release, deadline = Layout(), parameters.pop("release"), parameters.pop("deadline_seconds")
    try:
        settings = cloud_settings.of(topology.load(), **parameters)
        image = cloud_image.plan(machine.detect(layout.paths), release)
        made = cloud_content.ensure(layout, settings, image.path(layout), image.name, deadline)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
