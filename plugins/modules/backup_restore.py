#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a database from its backups into a directory, to the end of the archive or to a moment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_restore
short_description: Restore a database from its backups into a directory, to the end of the archive or to a moment
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.backup
description:
  - Restores the files, lets PostgreSQL replay the WAL there without a network and without archiving, and stops it
    again. What is left is a database directory that was shut down cleanly and can be started.
  - Refuses a place where PostgreSQL runs, a place that is not empty unless O(replace) says so in so many words, and
    a moment that the storage does not reach; then nothing was changed.
  - In check mode it refuses as it would, and changes nothing.
options:
  place:
    description: The directory, with an absolute path; its parent must be there.
    type: path
    required: true
  moment:
    description:
      - Moment to go back to, in ISO 8601 with its distance from UTC, such as 2026-11-28T21:15:00+09:00. Empty for the
        end of the archive.
    type: str
    default: ""
  replace:
    description: "To restore over what lies in O(place): the words C(replace) and the path."
    type: str
    default: ""
  repository:
    description: The repository to read from.
    type: int
    default: 1
  wait_seconds:
    description: How long the replay may take.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: Look at yesterday evening
  understudy.hybrid.backup_restore:
    stanza: understudy
    place: /var/lib/postgresql/yesterday
    moment: "2026-11-28T21:15:00+09:00"
"""

RETURN = r"""
restored:
  description: What lies there now, with place, label, reached (the moment of the last transaction) and seconds.
  type: dict
  returned: when it was restored
"""

import re
import shutil
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import backup_judgement, backup_wal, pgbackrest_command, quiet_postgresql

TOO_EARLY = "recovery ended before configured recovery target was reached"
LISTED = "SELECT COALESCE(pg_last_xact_replay_timestamp()::text, 'none')"


def runs_in(place: Path) -> bool:
    """Tell whether a process of PostgreSQL stands in the directory, also one whose pid file is gone."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == place and (process / "comm").read_text().startswith("postgres"):
                return True
        except OSError:
            continue  # it ended, or shows nothing
    return False


def refuse_place(module: AnsibleModule, place: Path) -> None:
    """Refuse a place that must not be written to."""
    words = f"replace {place}"
    if not place.is_absolute() or len(place.parts) < 3 or not place.parent.is_dir() or place.is_symlink():
        module.fail_json(
            msg=f"Refused: {place} is no place for a database. Name a directory whose parent exists.", refused=True
        )
    if runs_in(place.resolve()):
        module.fail_json(
            msg=f"Refused: PostgreSQL runs in {place}. Choose another place; to give up what runs there, stop it first "
            "(under Patroni: systemctl stop patroni).",
            refused=True,
        )
    if place.exists() and (not place.is_dir() or any(place.iterdir())) and module.params["replace"] != words:
        module.fail_json(
            msg=f"Refused: {place} is not empty. Choose an empty place, or give up what lies there with these words: "
            f"restore_replace='{words}'.",
            refused=True,
        )


def restore(module: AnsibleModule, place: Path, target: str) -> str:
    """Restore the files; return the label of the backup they came from."""
    if not place.exists():
        place.mkdir(mode=0o700)
        shutil.chown(place, pgbackrest_command.ACCOUNT, pgbackrest_command.ACCOUNT)
    # Of its own: the configured one fetches ahead, under a lock that a database on this host archives with.
    fetch = f"pgbackrest --stanza={module.params['stanza']} --repo={module.params['repository']} --pg1-path={place}"
    said = pgbackrest_command.pgbackrest(
        module,
        f"--repo={module.params['repository']}",
        f"--pg1-path={place}",
        *(["--delta"] if module.params["replace"] else []),
        *(["--type=time", f"--target={target}", "--target-action=promote"] if target else []),
        f'--recovery-option=restore_command={fetch} --no-archive-async archive-get %f "%p"',
        "--log-level-console=info",
        "restore",
    )
    if said.code != 0:
        module.fail_json(
            msg=f"The restore into {place} failed: {said.reason} What lies there is not whole. Verify the backups "
            f"(playbooks/verify_backup.yml), then run this again with restore_replace='replace {place}'.",
            refused=False,
        )
    found = re.search(r"restore backup set (\S+?),", said.text)
    return found[1] if found else ""


def replay(module: AnsibleModule, place: Path) -> str:
    """Let PostgreSQL replay the WAL on a socket of its own; return the moment of the last transaction."""
    until = time.monotonic() + module.params["wait_seconds"]
    with quiet_postgresql.running(module, place, module.params["wait_seconds"]) as (folder, started):
        while started.code == 0 and time.monotonic() < until:
            said = pgbackrest_command.query(module, f"SELECT pg_is_in_recovery(), ({LISTED})", "-h", str(folder))
            if said.code != 0:
                break
            recovering, reached = said.text.strip().split("|")
            if recovering == "f":
                return reached
            time.sleep(0.2)
        log = folder / "log"
        told = log.read_text(errors="replace") if log.exists() else ""
    fail_replay(module, place, told)
    return ""


def fail_replay(module: AnsibleModule, place: Path, log: str) -> None:
    """Say why the replay did not reach its end."""
    if TOO_EARLY in log:
        reached = re.findall(r"last completed transaction was at log time (.+)", log)
        last = reached[-1] if reached else "an earlier moment"
        why = f"the archive holds no transaction after it; the last was at {last}. "
        why += "Restore to the end instead (no restore_moment): that is the same data."
    else:
        missing = [line for line in log.splitlines() if "FATAL" in line or "PANIC" in line or "ERROR" in line]
        why = " ".join(missing[-3:]) or f"it was not done within {module.params['wait_seconds']} s."
    module.fail_json(
        msg=f"The files are in {place}, but the WAL could not be replayed to where you want it: {why} To try again: "
        f"restore_replace='replace {place}'.",
        refused=False,
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **pgbackrest_command.OPTIONS,
            "place": {"type": "path", "required": True},
            "moment": {"type": "str", "default": ""},
            "replace": {"type": "str", "default": ""},
            "repository": {"type": "int", "default": 1},
            "wait_seconds": {"type": "int", "default": 3600},
        },
        supports_check_mode=True,
    )
    place, started = Path(module.params["place"]), time.monotonic()
    refuse_place(module, place)
    known = backup_judgement.backups(pgbackrest_command.info(module), module.params["repository"])
    segments = backup_wal.segments(
        pgbackrest_command.objects(module, module.params["repository"], "archive") if module.params["moment"] else {}
    )
    moment, refusal = backup_judgement.judge_moment(module.params["moment"], known, segments)
    if refusal:
        module.fail_json(msg=f"Refused: {refusal} Nothing was changed.", refused=True)
    if module.check_mode:
        module.exit_json(changed=True)
    label = restore(module, place, moment.isoformat(" ") if moment else "")
    reached = replay(module, place)
    restored: dict[str, Any] = {"place": str(place), "label": label, "reached": reached}
    module.exit_json(changed=True, restored=restored | {"seconds": round(time.monotonic() - started, 1)})


if __name__ == "__main__":
    main()
