#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the place of a database in its backup repositories, once, and prove that WAL arrives there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_stanza
short_description: Make the place of a database in its backup repositories, once, and prove that WAL arrives there
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: [understudy.hybrid.backup, understudy.hybrid.backup.leader]
description:
  - Where this host's PostgreSQL takes writes, asks pgBackRest whether each repository knows the database; if not, makes
    its place there and waits until a segment of WAL has arrived. A replica does nothing.
"""

EXAMPLES = r"""
- name: Make the repository
  understudy.hybrid.backup_stanza:
    stanza: understudy
"""

RETURN = r"""
leads:
  description: Whether this host takes writes.
  type: bool
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import backup_judgement, pgbackrest_command

LOCK_SECONDS = 60


def patiently(module: AnsibleModule, *step: str) -> pgbackrest_command.Said:
    """Run a step; wait while PostgreSQL's archiver, which tries all the time, holds the lock that it wants."""
    until = time.monotonic() + LOCK_SECONDS
    said = pgbackrest_command.pgbackrest(module, *step)
    while said.code == pgbackrest_command.LOCK_HELD and time.monotonic() < until:
        time.sleep(0.2)
        said = pgbackrest_command.pgbackrest(module, *step)
    return said


def refuse_without_archiving(module: AnsibleModule) -> None:
    """Refuse while PostgreSQL archives nothing: the setting waits for a restart where it was off before."""
    said = pgbackrest_command.query(module, "SHOW archive_mode", "-p", str(module.params["port"]))
    if said.text.strip() == "off":
        module.fail_json(
            msg="PostgreSQL does not archive yet: archive_mode is off until its restart. When it suits: patronictl "
            "-c /etc/patroni/config.yml restart SCOPE MEMBER (the names: patronictl list); then run this again."
        )


def main() -> None:
    """Look, make what is missing, and prove it."""
    module = AnsibleModule(
        argument_spec={**pgbackrest_command.OPTIONS, **pgbackrest_command.LEADER_OPTIONS},
        supports_check_mode=True,
    )
    if not pgbackrest_command.leads(module):
        module.exit_json(changed=False, leads=False)
    if backup_judgement.has_place(pgbackrest_command.info(module)):
        module.exit_json(changed=False, leads=True)
    if not module.check_mode:
        refuse_without_archiving(module)
        for step, about in (
            (("stanza-create",), "The place of this database in the backup storage could not be made"),
            (("--archive-timeout=90", "check"), "The place was made, but no WAL arrived there"),
        ):
            said = patiently(module, *step)
            if said.code != 0:
                module.fail_json(msg=f"{about}: {said.reason}")
        figures = backup_judgement.figures({"understudy_backup_place_timestamp_seconds": time.time()})
        pgbackrest_command.keep_figures(module, "understudy_backup_place", figures)
    module.exit_json(changed=True, leads=True)


if __name__ == "__main__":
    main()
