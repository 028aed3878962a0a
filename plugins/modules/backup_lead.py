#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a restored database run and lead on the loopback address, as if a failover had made it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_lead
short_description: Let a restored database run and lead on the loopback address
version_added: "0.1.0"
author: The Understudy authors
description:
  - Starts PostgreSQL on a directory as M(understudy.hybrid.backup_restore) leaves it, which has ended its recovery on a
    timeline of its own, as a unit of systemd, and proves that it takes writes. It listens on 127.0.0.1, where it asks
    for passwords, and on a socket; it archives nothing, follows nobody, and runs until the host ends.
  - Refuses a host where PostgreSQL runs, and a directory that has not ended its recovery.
  - In check mode it refuses as it would, and starts nothing.
options:
  place:
    description: The directory.
    type: path
    required: true
  database:
    description: The database that is let in over the loopback address, and asked.
    type: str
    required: true
  question:
    description: >-
      SQL that answers with JSON, with C(bookings), C(newest_booking_age_s), and sentences in C(sold_twice),
      C(without_seats) and C(without_payment). A sentence fails the task.
    type: str
    required: true
  wait_seconds:
    description: How long PostgreSQL may take to start.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Let it lead
  understudy.hybrid.backup_lead:
    place: /var/lib/postgresql/restored
    database: booking
    question: "{{ lookup('ansible.builtin.file', 'questions/restored.sql') }}"
"""

RETURN = r"""
leading:
  description: The C(timeline) that it leads, how many C(bookings) it has, and C(newest_booking_age_s).
  type: dict
  returned: when it leads
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import pgbackrest_command, proof_judgement, quiet_postgresql
from ..module_utils.quiet_postgresql import SilenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNIT = "understudy-restored"
FOLDER = Path("/run") / UNIT
SOCKETS = tuple(folder / ".s.PGSQL.5432" for folder in (Path("/run/postgresql"), FOLDER))
ADMITTED = "host {database} all 127.0.0.1/32 scram-sha-256\n"
LOUD = {"listen_addresses": "127.0.0.1", "restart_after_crash": "on"}
TOLD = ("bookings", "newest_booking", "newest_booking_age_s", "unsettled")
# A transaction number is given to whoever writes, and to nobody on a replica.
LEADS = """SELECT json_build_object('recovering', pg_is_in_recovery(), 'archive_mode', current_setting('archive_mode'),
'timeline', (SELECT timeline_id FROM pg_control_checkpoint()), 'transaction', pg_current_xact_id()::text)"""


def refuse(module: AnsibleModule, place: Path, sockets: Iterable[Path]) -> None:
    """Refuse what must not be started. `sockets`: those of databases that may run here."""
    version = place / "PG_VERSION"
    if not version.is_file():
        module.fail_json(
            msg=f"Refused: {place} holds no database. Restore one there first (playbooks/restore_backup.yml)."
        )
    if any((place / signal).exists() for signal in ("recovery.signal", "standby.signal")):
        module.fail_json(
            msg=f"Refused: {place} has not ended its recovery, so it would follow the archive. Restore it again."
        )
    if any(socket.exists() for socket in sockets):
        module.fail_json(msg="Refused: PostgreSQL runs on this host, and a restored one must not stand beside it.")


def command(program: str, place: Path, settings: Mapping[str, str], wait_seconds: int) -> list[str]:
    """Return how systemd is told to run it, as a unit that is ready when PostgreSQL says so."""
    properties = {"KillMode": "mixed", "KillSignal": "SIGINT", "TimeoutStartSec": str(wait_seconds)}
    return [
        *("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", "--service-type=notify"),
        f"--uid={pgbackrest_command.ACCOUNT}",
        *(f"--property={name}={value}" for name, value in properties.items()),
        *("--", program, "-D", str(place)),
        *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
    ]


def settings(folder: Path, database: str) -> dict[str, str]:
    """Write who may connect, and return the settings: the loopback address and a socket, and no way to the archive."""
    admitted = quiet_postgresql.OWN_ACCOUNT + ADMITTED.format(database=database)
    return quiet_postgresql.settings(folder, LOUD, admitted)


def start(module: AnsibleModule, place: Path) -> None:
    """Start it; raises SilenceError with the last lines of its journal."""
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(FOLDER, pgbackrest_command.ACCOUNT, pgbackrest_command.ACCOUNT)
    program = f"/usr/lib/postgresql/{(place / 'PG_VERSION').read_text().strip()}/bin/postgres"
    told = settings(FOLDER, module.params["database"])
    code, text, complaint = module.run_command(command(program, place, told, module.params["wait_seconds"]))
    if code != 0:
        _, journal, _ = module.run_command(["journalctl", f"--unit={UNIT}", "--output=cat", "--lines=5"])
        said = pgbackrest_command.Said(code, f"{text}\n{journal}", complaint)
        raise SilenceError(f"it did not start: {said.reason}")


def led(module: AnsibleModule) -> dict[str, Any]:
    """Prove that it leads, apart from the archive, and ask what it has; return that."""
    where = ("-h", str(FOLDER), "-d", module.params["database"])
    state = quiet_postgresql.told(pgbackrest_command.query(module, LEADS, *where))
    if state["recovering"] or state["archive_mode"] != "off":
        raise SilenceError(f"it must lead without archiving, and says: {state}")
    answers = quiet_postgresql.told(pgbackrest_command.query(module, module.params["question"], *where))
    if findings := proof_judgement.judge_answers(answers):
        raise SilenceError(f"it leads, and what it has contradicts itself. {' '.join(findings)}")
    return {"timeline": state["timeline"]} | {key: answers[key] for key in TOLD}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "place": {"type": "path", "required": True},
            "database": {"type": "str", "required": True},
            "question": {"type": "str", "required": True},
            "wait_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    place = Path(module.params["place"])
    refuse(module, place, SOCKETS)
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        start(module, place)
        leading = led(module)
    except (SilenceError, OSError) as problem:
        module.fail_json(msg=f"The restored database in {place} does not lead: {problem}")
    module.exit_json(changed=True, leading=leading)


if __name__ == "__main__":
    main()
