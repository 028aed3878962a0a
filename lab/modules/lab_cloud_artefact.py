#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build one of the things that the cloud is made from."""

from ansible.module_utils.basic import AnsibleModule

from lab import cloud_database, cloud_image, cloud_swift, machine
from lab.cloud_layout import Layout
from lab.errors import LabError
from lab.images import RELEASES

DOCUMENTATION = """
module: lab_cloud_artefact
short_description: Build one of the things that the cloud is made from
description:
  - Builds it unless the stored one was made by the same recipe from the same packages. It stays in the cache.
options:
  artefact:
    description:
      - V(databases) are the services' empty databases.
      - V(object_storage) is Swift in an environment of its own.
      - V(image) is the disk that the cloud's servers boot.
    type: str
    choices: [databases, object_storage, image]
    required: true
  release:
    description: The Debian release of the image.
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
- name: Build the image of the cloud's servers
  lab_cloud_artefact:
    artefact: image
    release: trixie
"""

RETURN = """# Nothing but changed."""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "artefact": {"type": "str", "choices": ["databases", "object_storage", "image"], "required": True},
            "release": {"type": "str", "choices": list(RELEASES), "default": "trixie"},
        },
        supports_check_mode=True,
    )
    layout, artefact, release = Layout(), module.params["artefact"], module.params["release"]
    try:
        if artefact == "databases":
            is_built, build = cloud_database.is_built(layout), lambda: cloud_database.ensure(layout)
        elif artefact == "object_storage":
            is_built, build = cloud_swift.is_built(layout), lambda: cloud_swift.ensure(layout)
        else:
            found = machine.detect(layout.paths)
            is_built = cloud_image.plan(found, release).path(layout).exists()
            build = lambda: cloud_image.ensure(found, layout, release)  # noqa: E731  one of three, as above
        changed = not is_built if module.check_mode else build()
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
