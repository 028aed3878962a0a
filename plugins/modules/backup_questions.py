#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a restored database what it has, and say what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_questions
short_description: Ask a restored database what it has, and say what is wrong with it
version_added: "0.1.0"
author: The Understudy authors
description:
  - Runs PostgreSQL on a restored directory, read-only, on a socket of its own and without a network, asks the questions
    of the trade, compares with what was counted where the database leads, and stops it again.
  - Each finding is a sentence; any finding fails the task.
options:
  place:
    description: The directory, as M(understudy.hybrid.backup_restore) leaves it.
    type: path
    required: true
  database:
    description: The database to ask.
    type: str
    required: true
  sold:
    description: The SQL that M(understudy.hybrid.backup_count) was given.
    type: str
    required: true
  restored:
    description: >-
      SQL that answers with JSON, with C(bookings), C(newest_booking_age_s), C(unsettled), and sentences in
      C(sold_twice), C(without_seats) and C(without_payment).
    type: str
    required: true
  count:
    description: What M(understudy.hybrid.backup_count) counted. Empty when nobody could be asked, which is a finding.
    type: dict
    default: {}
  wait_seconds:
    description: How long PostgreSQL may take to start.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Ask
  understudy.hybrid.backup_questions:
    place: /var/lib/postgresql/restored
    database: booking
    sold: "{{ lookup('ansible.builtin.file', 'questions/sold.sql') }}"
    restored: "{{ lookup('ansible.builtin.file', 'questions/restored.sql') }}"
    count: "{{ counted }}"
"""

RETURN = r"""
findings:
  description: What is wrong, a sentence each.
  type: list
  elements: str
  returned: always
answers:
  description:
    - What the database said (C(bookings), C(newest_booking), C(newest_booking_age_s), C(unsettled)), with how many
      C(screenings) were compared and C(missing_bookings), which may be missing.
  type: dict
  returned: when it could be asked
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import pgbackrest_command, proof_judgement, quiet_postgresql
from ..module_utils.quiet_postgresql import SilenceError

UNASKED = "not compared: no database that leads could be asked what it has sold, so the copy stands on its own word."
TOLD = ("bookings", "newest_booking", "newest_booking_age_s", "unsettled")


def answers(module: AnsibleModule, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Start the database and ask it: what it says of itself, and what it had sold as of the count."""
    asked, count = module.params, module.params["count"]
    read_only = {"default_transaction_read_only": "on"}
    with quiet_postgresql.running(module, place, asked["wait_seconds"], read_only) as (folder, started):
        if started.code != 0:
            log = folder / "log"
            raise SilenceError(log.read_text(errors="replace").strip()[-300:] if log.exists() else started.reason)
        where = ("-h", str(folder), "-d", asked["database"])
        own = quiet_postgresql.told(pgbackrest_command.query(module, asked["restored"], *where))
        if not count:
            return own, {}
        moment, window = count["moment"], count["window_seconds"]
        return own, quiet_postgresql.told(pgbackrest_command.as_of(module, moment, window, asked["sold"], *where))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "place": {"type": "path", "required": True},
            "database": {"type": "str", "required": True},
            "sold": {"type": "str", "required": True},
            "restored": {"type": "str", "required": True},
            "count": {"type": "dict", "default": {}},
            "wait_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    place, count = Path(module.params["place"]), module.params["count"]
    try:
        own, sold = answers(module, place)
    except (SilenceError, OSError) as problem:
        module.fail_json(msg=f"The restored database in {place} does not answer: {problem}", findings=[])
    findings = proof_judgement.judge_answers(own)
    shown = {key: own[key] for key in TOLD} | {"screenings": 0, "missing_bookings": 0}
    if count:
        compared = proof_judgement.compare(count, sold, count["window_seconds"])
        findings += compared.findings
        shown |= {"screenings": compared.screenings, "missing_bookings": compared.missing_bookings}
    else:
        findings.append(UNASKED)
    if findings:
        module.fail_json(
            msg=f"What came back is not what it should be. {' '.join(findings)}", findings=findings, answers=shown
        )
    module.exit_json(changed=False, findings=[], answers=shown)


if __name__ == "__main__":
    main()
