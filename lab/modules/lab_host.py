#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the lab's podman hosts."""

from ansible.module_utils.basic import AnsibleModule

from lab import hosts, images, machine, topology
from lab.errors import LabError
from lab.paths import Paths

DOCUMENTATION = """
module: lab_host
short_description: Run the lab's podman hosts
description:
  - Makes and starts the hosts of the colo, the witness and the customers.
  - Waits until each answers on SSH.
options:
  release:
    description: The Debian release that the hosts run.
    type: str
    choices: [trixie, bookworm]
    default: trixie
  names:
    description: The hosts to run. All of the topology when empty.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Tells what would change.
author:
  - Understudy
"""

EXAMPLES = """
- name: Run the hosts
  lab_host:
    release: trixie
"""

RETURN = """
started:
  description: The hosts that did not run before.
  returned: always
  type: list
  elements: str
  sample: [colo-gw1]
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "release": {"type": "str", "choices": list(images.RELEASES), "default": "trixie"},
            "names": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    paths = Paths()
    try:
        wanted = topology.load()
        chosen = [wanted.host(name) for name in module.params["names"]] or wanted.hosts
        specs = [hosts.spec(wanted, host, module.params["release"]) for host in chosen]
        if module.check_mode:
            states = hosts.states(paths)
            started = [each.name for each in specs if states.get(each.name) != "running"]
        else:
            started = hosts.ensure(machine.detect(paths), paths, specs)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(started), started=started)


if __name__ == "__main__":
    main()
