#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read everything in the backup storage, and say what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_verify
short_description: Read everything in the backup storage, and say what is wrong with it
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: [understudy.hybrid.backup, understudy.hybrid.backup.leader]
description:
  - Lets pgBackRest read and check every object, looks for gaps in the WAL, and compares age and size of the newest
    backup with limits and with the ten before it. Each finding is a sentence; any finding fails the task.
  - A gap in the WAL is one until a backup began after it; then it is named among what was verified.
  - A replica does nothing. Nothing is changed in the storage. Leaves figures for monitoring.
options:
  oldest_hours:
    description: How old the newest backup may be.
    type: float
    default: 26
  least_share:
    description: The newest backup is too small below this share of what is usual.
    type: float
    default: 0.5
  most_share:
    description: It grew oddly above this share.
    type: float
    default: 2.0
"""

EXAMPLES = r"""
- name: Verify the backups
  understudy.hybrid.backup_verify:
    stanza: understudy
"""

RETURN = r"""
findings:
  description: What is wrong, a sentence each.
  type: list
  elements: str
  returned: always
spoiling:
  description: Those of the findings because of which data may not come back.
  type: list
  elements: str
  returned: always
leads:
  description: Whether this host takes writes.
  type: bool
  returned: always
verified:
  description:
    - What was looked at, with backups, segments, newest_label, newest_age_seconds, newest_size_bytes and seconds, and
      in bygone_gaps the WAL that is missing before the newest backup.
  type: dict
  returned: on the host that leads
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import backup_judgement, backup_wal, pgbackrest_command

ARCHIVER = """SELECT COALESCE(last_archived_wal, '-'), setting FROM pg_stat_archiver, pg_settings
WHERE name = 'wal_segment_size'"""


def judge(module: AnsibleModule, info: dict[str, Any], repository: int, sent: str, size: int) -> dict[str, Any]:
    """Look at one repository; return the findings and what was looked at."""
    limits = backup_judgement.Limits(
        module.params["oldest_hours"] * 3600, module.params["least_share"], module.params["most_share"]
    )
    known = backup_judgement.backups(info, repository)
    findings = backup_judgement.judge_age_and_size(known, time.time(), limits)
    segments = backup_wal.segments(pgbackrest_command.objects(module, repository, "archive"))
    findings += backup_wal.judge_wal(segments, known, sent, size)
    findings += backup_judgement.judge_objects(pgbackrest_command.objects(module, repository, "backup"), known)
    said = pgbackrest_command.pgbackrest(
        module, f"--repo={repository}", "--output=text", "--verbose", "--log-level-console=info", "verify"
    )
    findings += backup_judgement.judge_verification(f"{said.text}\n{said.complaint}", known)
    bygone = backup_wal.bygone_gaps(segments, known, size)
    return {"findings": findings, "known": known, "segments": segments, "bygone": bygone}


def summary(look: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Say what was looked at."""
    newest = look["known"][-1]
    return {
        "backups": len(look["known"]),
        "segments": len(look["segments"]),
        "bygone_gaps": list(look["bygone"]),
        "newest_label": newest.label,
        "newest_age_seconds": round(time.time() - newest.stopped_at),
        "newest_size_bytes": newest.size_bytes,
        "seconds": round(seconds, 1),
    }


def tell(module: AnsibleModule, *, ok: bool, seconds: float) -> None:
    """Tell monitoring what was found."""
    figures = {
        "understudy_backup_verify_ok": float(ok),
        "understudy_backup_verify_timestamp_seconds": time.time(),
        "understudy_backup_verify_duration_seconds": seconds,
    }
    pgbackrest_command.keep_figures(module, "understudy_backup_verify", backup_judgement.figures(figures))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **pgbackrest_command.OPTIONS,
            **pgbackrest_command.LEADER_OPTIONS,
            "oldest_hours": {"type": "float", "default": 26},
            "least_share": {"type": "float", "default": 0.5},
            "most_share": {"type": "float", "default": 2.0},
        },
        supports_check_mode=True,
    )
    if not pgbackrest_command.leads(module):
        module.exit_json(changed=False, leads=False, findings=[], spoiling=[])
    started = time.monotonic()
    info = pgbackrest_command.info(module)
    if backup_judgement.is_running(info):
        module.fail_json(
            msg="Refused: a backup is being taken, and what it has not finished would look damaged. Verify when it has "
            "ended.",
            refused=True,
        )
    sent, size = pgbackrest_command.query(module, ARCHIVER, "-p", str(module.params["port"])).text.strip().split("|")
    looks = [judge(module, info, number, sent, int(size)) for number in pgbackrest_command.repositories(module)]
    findings = [
        f"repository {number}: {finding}" if len(looks) > 1 else finding
        for number, look in enumerate(looks, 1)
        for finding in look["findings"]
    ]
    seconds = time.monotonic() - started
    if not module.check_mode:
        tell(module, ok=not findings, seconds=seconds)
    if findings:
        module.fail_json(
            msg=f"The backups are not what they should be. {' '.join(findings)} See docs/runbooks/backup.md.",
            findings=findings,
            spoiling=backup_judgement.spoiling(findings),
            leads=True,
            refused=False,
        )
    module.exit_json(changed=False, leads=True, findings=[], spoiling=[], verified=summary(looks[0], seconds))


if __name__ == "__main__":
    main()
