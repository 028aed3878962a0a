#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a secret on a host as a file that only this host's identity, or one kept elsewhere, opens."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sealed_secret
short_description: Keep a secret on a host as a file that only this host's identity, or one kept elsewhere, opens
version_added: "0.1.0"
author: The Understudy authors
description:
  - Makes an age identity on the host, once, which never leaves it, and seals the secret for it and for further
    recipients. The secret is handed over in memory and is never on disk in clear.
  - A sealed file that opens to the same secret, for the same recipients, is left as it is. A new one is opened before
    it takes the place of the old one.
options:
  path:
    description: The sealed file. Its recipients are listed beside it, with the suffix C(.recipients).
    type: path
    required: true
  identity:
    description: The host's identity.
    type: path
    required: true
  recipients:
    description: Further recipients, public keys of age or of SSH.
    type: list
    elements: str
    required: true
  secret:
    description: The secret.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Seal what reads the backups
  understudy.hybrid.sealed_secret:
    path: /etc/understudy/backup/repositories.age
    identity: /etc/understudy/backup/identity
    recipients: ["{{ recovery_recipient }}"]
    secret: "{{ backup_repositories | to_json(sort_keys=true) }}"
  no_log: true
"""

RETURN = r"""
recipient:
  description: The public half of the host's identity.
  type: str
  returned: when there is an identity
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def run(module: AnsibleModule, *command: str, secret: str | None = None) -> str:
    """Run age; a failure is told without what went in or came out."""
    code, said, complaint = module.run_command(list(command), data=secret, binary_data=True)
    if code != 0:
        module.fail_json(msg=f"{command[0]} failed: {complaint.strip()}")
    return str(said)


def opens_to(module: AnsibleModule, identity: Path, sealed: Path, secret: str) -> bool:
    """Tell whether the file opens with the identity, and to this secret."""
    if not (identity.exists() and sealed.exists()):
        return False
    code, said, _ = module.run_command(["age", "--decrypt", "--identity", str(identity), str(sealed)])
    return bool(code == 0 and said == secret)


def make_identity(module: AnsibleModule, identity: Path) -> str:
    """Make the identity where there is none; return its public half."""
    if not identity.exists():
        identity.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = identity.with_name(f".{identity.name}.{os.getpid()}")
        os.umask(0o077)
        run(module, "age-keygen", "--output", str(new))
        new.replace(identity)
    return run(module, "age-keygen", "-y", str(identity)).strip()


def seal(module: AnsibleModule, identity: Path, sealed: Path, recipients: list[str], secret: str) -> None:
    """Seal the secret, open it again, and only then put it in the place of the old one."""
    new = sealed.with_name(f".{sealed.name}.{os.getpid()}")
    os.umask(0o077)
    arguments = [word for recipient in recipients for word in ("--recipient", recipient)]
    run(module, "age", "--encrypt", "--armor", *arguments, "--output", str(new), secret=secret)
    if not opens_to(module, identity, new, secret):
        new.unlink(missing_ok=True)
        module.fail_json(msg=f"What was sealed for {sealed} does not open to the secret again. Nothing was replaced.")
    new.replace(sealed)
    beside = sealed.with_name(f"{sealed.name}.recipients")
    beside.write_text("".join(f"{recipient}\n" for recipient in recipients), encoding="utf-8")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "identity": {"type": "path", "required": True},
            "recipients": {"type": "list", "elements": "str", "required": True},
            "secret": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    identity, sealed = Path(module.params["identity"]), Path(module.params["path"])
    secret = module.params["secret"]
    if module.check_mode:
        module.exit_json(changed=not opens_to(module, identity, sealed, secret) if identity.exists() else True)
    recipient = make_identity(module, identity)
    recipients = [recipient, *module.params["recipients"]]
    beside = sealed.with_name(f"{sealed.name}.recipients")
    listed = beside.read_text(encoding="utf-8").splitlines() if beside.exists() else []
    if opens_to(module, identity, sealed, secret) and listed == recipients:
        module.exit_json(changed=False, recipient=recipient)
    seal(module, identity, sealed, recipients, secret)
    module.exit_json(changed=True, recipient=recipient)


if __name__ == "__main__":
    main()
