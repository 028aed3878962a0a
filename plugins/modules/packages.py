#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install a role's Debian packages, and look before asking apt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packages
short_description: Install a role's Debian packages, and look before asking apt
version_added: "0.1.0"
author: The Understudy authors
description:
  - Does what M(ansible.builtin.apt) does with O(ignore:state=present) and without recommended packages, which is left
    the work. But a host that has all of them is told so by dpkg in a hundredth of a second, where loading apt's lists
    takes a core for one, on every host and in every role.
options:
  name:
    description: Packages that are to be there, in any version.
    type: list
    elements: str
    required: true
  policy_rc_d:
    description: What C(/usr/sbin/policy-rc.d) answers meanwhile; 101 keeps services from starting by themselves.
    type: int
"""

EXAMPLES = r"""
- name: Install the server
  understudy.hybrid.packages:
    name: [haproxy]
    policy_rc_d: 101
"""

RETURN = r"""
missing:
  description: Packages that were not there, in the order of O(name).
  type: list
  elements: str
  returned: always
"""

import subprocess

from ansible.module_utils.basic import AnsibleModule

# Status and name; a package that dpkg never heard of is told on standard error only.
FORMAT = "${db:Status-Abbrev}\t${Package}\n"


def there(told: str) -> set[str]:
    """Read dpkg's answer: the packages that are installed and configured."""
    lines = (line.split("\t") for line in told.splitlines() if "\t" in line)
    return {name for status, name in lines if status[1:2] == "i" and not status[2:].strip()}


def main() -> None:
    """Look which packages are not there."""
    module = AnsibleModule(
        argument_spec={"name": {"type": "list", "elements": "str", "required": True}, "policy_rc_d": {"type": "int"}},
        supports_check_mode=True,
    )
    wanted = module.params["name"]
    found = subprocess.run(
        ["/usr/bin/dpkg-query", "--show", f"--showformat={FORMAT}", *wanted],
        check=False,  # 1: one of them is unknown
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    if found.returncode > 1:
        module.fail_json(msg=f"dpkg-query cannot tell what is installed: {found.stderr.strip()}")
    have = there(found.stdout)
    module.exit_json(changed=False, missing=[name for name in wanted if name not in have])


if __name__ == "__main__":
    main()
