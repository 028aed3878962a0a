#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count what the database that leads has sold, so that a restored copy can be compared with it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_count
short_description: Count what the database that leads has sold, so that a restored copy can be compared with it
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.backup.leader
description:
  - Asks as of a moment before which every transaction has ended, so that the same question has the same answer at any
    later time, also in a copy. A replica is not asked. Changes nothing, and leaves no figures.
options:
  database:
    description: The database to ask.
    type: str
    required: true
  question:
    description: >-
      SQL that answers with JSON, with C(moment), C(bookings) and C(screenings), and reads C(understudy.moment) and
      C(understudy.window_seconds).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Count
  understudy.hybrid.backup_count:
    database: booking
    question: "{{ lookup('ansible.builtin.file', 'questions/sold.sql') }}"
"""

RETURN = r"""
leads:
  description: Whether this host takes writes.
  type: bool
  returned: always
count:
  description: The answer, and C(window_seconds), within which what was committed may not have been archived.
  type: dict
  returned: where it leads
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import pgbackrest_command

# Whoever has begun later has a later now() in what it writes. A tenth of a second: for one that is not shown yet.
MOMENT = """SELECT least(min(xact_start), now()) - interval '0.1 s',
(SELECT setting::int + 1 FROM pg_settings WHERE name = 'archive_timeout')
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


def text(module: AnsibleModule, said: pgbackrest_command.Said) -> str:
    """Return what the database said; fails the module when it said nothing."""
    if said.code != 0:
        module.fail_json(
            msg=f"Database {module.params['database']} does not say what it has sold: {said.reason} "
            "Look whether it is there, and migrated."
        )
    return said.text.strip()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **pgbackrest_command.LEADER_OPTIONS,
            "database": {"type": "str", "required": True},
            "question": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    if not pgbackrest_command.leads(module):
        module.exit_json(changed=False, leads=False)
    where = ("-p", str(module.params["port"]), "-d", module.params["database"])
    moment, window = text(module, pgbackrest_command.query(module, MOMENT, *where)).split("|")
    question = module.params["question"]
    count = json.loads(text(module, pgbackrest_command.as_of(module, moment, int(window), question, *where)))
    module.exit_json(changed=False, leads=True, count=count | {"window_seconds": int(window)})


if __name__ == "__main__":
    main()
