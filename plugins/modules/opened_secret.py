#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open what sealed_secret has sealed on a host, with that host's identity."""

from __future__ import annotations

DOCUMENTATION = r"""
module: opened_secret
short_description: Open what sealed_secret has sealed on a host, with that host's identity
version_added: "0.1.0"
author: The Understudy authors
description:
  - Returns the secret, so the task needs C(no_log). It never fails, since C(no_log) would hide why; whoever uses it
    asserts that RV(problem) is empty, and shows it, which holds nothing of the secret.
  - Changes nothing.
options:
  path:
    description: The sealed file.
    type: path
    required: true
  identity:
    description: The host's identity.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Open what reads the backups
  understudy.hybrid.opened_secret:
    path: /etc/understudy/backup/repositories.age
    identity: /etc/understudy/backup/identity
  register: opened
  no_log: true
"""

RETURN = r"""
secret:
  description: What was sealed. Empty with a problem.
  type: str
  returned: always
problem:
  description: Why it does not open, as a sentence. Empty when it did.
  type: str
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def problem_before(module: AnsibleModule, sealed: Path, identity: Path) -> str:
    """Say what is missing, in a sentence; nothing when age can be asked."""
    for path, what in ((sealed, "nothing is sealed there"), (identity, "it was taken away, or never made")):
        if not path.exists():
            return f"{path} does not exist: {what}."
    return "" if module.get_bin_path("age") else "age is not installed."


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}, "identity": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    sealed, identity = Path(module.params["path"]), Path(module.params["identity"])
    if problem := problem_before(module, sealed, identity):
        module.exit_json(changed=False, secret="", problem=problem)
    code, said, complaint = module.run_command(["age", "--decrypt", "--identity", str(identity), str(sealed)])
    if code != 0:
        reason = complaint.strip().splitlines()[0] if complaint.strip() else f"age ended with {code}"
        module.exit_json(changed=False, secret="", problem=f"{sealed} does not open with {identity}: {reason}.")
    module.exit_json(changed=False, secret=said, problem="")


if __name__ == "__main__":
    main()
