#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a backup of the PostgreSQL of this host, if it is the one that takes writes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_take
short_description: Take a backup of the PostgreSQL of this host, if it is the one that takes writes
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: [understudy.hybrid.backup, understudy.hybrid.backup.leader]
description:
  - Takes the backup into every repository and reports size, seconds and speed. A replica does nothing.
  - Refuses while another backup runs. The lock is the kernel's, so what a killed run left does not block.
  - Leaves figures for monitoring, also when it fails. In check mode nothing is taken.
options:
  type:
    description:
      - C(full) is everything, C(diff) what changed since the last full one, C(incr) since the last of any kind.
    type: str
    choices: [full, diff, incr]
    default: incr
"""

EXAMPLES = r"""
- name: Take a backup
  understudy.hybrid.backup_take:
    stanza: understudy
    type: full
"""

RETURN = r"""
taken:
  description:
    - The backups that were taken, one per repository, with label, kind, size_bytes, copied_bytes, stored_bytes, seconds
      and bytes_per_second.
  type: list
  elements: dict
  returned: always
leads:
  description: Whether this host takes writes.
  type: bool
  returned: always
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import backup_judgement, pgbackrest_command

RUNNING = (
    "Refused: a backup of this database is being taken already. Wait until it has ended ('pgbackrest info' on this "
    "host says so), then look whether another one is still wanted."
)


def take(module: AnsibleModule, repository: int) -> dict[str, Any]:
    """Take one backup; return what became of it. Fails the module with the reason."""
    started = time.monotonic()
    said = pgbackrest_command.pgbackrest(module, f"--repo={repository}", f"--type={module.params['type']}", "backup")
    seconds = max(time.monotonic() - started, 0.001)
    if said.code == pgbackrest_command.LOCK_HELD:
        module.fail_json(msg=RUNNING, refused=True)
    if said.code != 0:
        tell(module, ok=False)
        module.fail_json(
            msg=f"The backup into repository {repository} failed after {seconds:.0f} s: {said.reason} What was taken "
            "before is as it was, and selling goes on. Look at the storage, then run this again.",
            refused=False,
        )
    backup = backup_judgement.backups(pgbackrest_command.info(module), repository)[-1]
    figures = {
        "understudy_backup_newest_timestamp_seconds": backup.stopped_at,
        "understudy_backup_newest_size_bytes": backup.size_bytes,
        "understudy_backup_newest_duration_seconds": seconds,
    }
    pgbackrest_command.keep_figures(module, "understudy_backup_newest", backup_judgement.figures(figures))
    return {
        "repository": repository,
        "label": backup.label,
        "kind": backup.kind,
        "size_bytes": backup.size_bytes,
        "copied_bytes": backup.copied_bytes,
        "stored_bytes": backup.stored_bytes,
        "seconds": round(seconds, 1),
        "bytes_per_second": round(backup.copied_bytes / seconds),
    }


def tell(module: AnsibleModule, *, ok: bool) -> None:
    """Tell monitoring how the attempt ended."""
    figures = {"understudy_backup_run_ok": float(ok), "understudy_backup_run_timestamp_seconds": time.time()}
    pgbackrest_command.keep_figures(module, "understudy_backup_run", backup_judgement.figures(figures))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **pgbackrest_command.OPTIONS,
            **pgbackrest_command.LEADER_OPTIONS,
            "type": {"type": "str", "choices": ["full", "diff", "incr"], "default": "incr"},
        },
        supports_check_mode=True,
    )
    if not pgbackrest_command.leads(module):
        module.exit_json(changed=False, leads=False, taken=[])
    known = pgbackrest_command.info(module, None if module.check_mode else lambda: tell(module, ok=False))
    if backup_judgement.is_running(known):
        module.fail_json(msg=RUNNING, refused=True)
    if module.check_mode:
        module.exit_json(changed=True, leads=True, taken=[])
    taken = [take(module, number) for number in pgbackrest_command.repositories(module)]
    tell(module, ok=True)
    module.exit_json(changed=True, leads=True, taken=taken)


if __name__ == "__main__":
    main()
