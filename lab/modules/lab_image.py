#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build the image of the lab's hosts."""

from ansible.module_utils.basic import AnsibleModule

from lab import images, machine, podman
from lab.errors import LabError
from lab.paths import Paths

DOCUMENTATION = """
module: lab_image
short_description: Build the image of the lab's hosts
description:
  - Builds the Debian image that the podman hosts run, unless the stored one was made by the same recipe.
options:
  release:
    description: The Debian release.
    type: str
    choices: [trixie, bookworm]
    default: trixie
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Build the hosts' image
  lab_image:
    release: trixie
"""

RETURN = """
image:
  description: The image's name in the lab's own podman storage.
  returned: always
  type: str
  sample: localhost/understudy-host:trixie
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"release": {"type": "str", "choices": list(images.RELEASES), "default": "trixie"}},
        supports_check_mode=True,
    )
    paths, release = Paths(), module.params["release"]
    try:
        found = machine.detect(paths)
        if module.check_mode:
            changed = not podman.is_configured(paths) or not images.is_current(images.plan(found, release), paths)
        else:
            changed = images.ensure(found, paths, release)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, image=images.name(release))


if __name__ == "__main__":
    main()
