# SPDX-License-Identifier: GPL-3.0-or-later
"""Run PostgreSQL on a restored directory, on a socket of its own: no network, no archive, its own account alone.

Whoever lets more in says so in the settings and in `admitted`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import pgbackrest_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ansible.module_utils.basic import AnsibleModule

OWN_ACCOUNT = "local all all peer\n"


class SilenceError(Exception):
    """Say why the restored database did not answer."""


@contextmanager
def running(
    module: AnsibleModule, place: Path, wait_seconds: float, more: Mapping[str, str] | None = None
) -> Iterator[tuple[Path, pgbackrest_command.Said]]:
    """Start it; give the folder of its socket (its file `log` says what it says) and what starting it said; stop it."""
    wait = f"--timeout={wait_seconds:g}"
    control = f"/usr/lib/postgresql/{(place / 'PG_VERSION').read_text().strip()}/bin/pg_ctl"
    with tempfile.TemporaryDirectory(prefix="understudy-restore-") as name:
        folder = Path(name)
        shutil.chown(folder, pgbackrest_command.ACCOUNT, pgbackrest_command.ACCOUNT)
        options = " ".join(f"-c {name}='{value}'" for name, value in settings(folder, more or {}).items())
        arguments = ("-D", str(place), "-w", wait, "-l", str(folder / "log"), "-o", options, "start")
        said = pgbackrest_command.run(module, control, *arguments)
        try:
            yield folder, said
        finally:
            pgbackrest_command.run(module, control, "-D", str(place), "-w", "-m", "fast", "stop")


def told(said: pgbackrest_command.Said) -> dict[str, Any]:
    """Read the JSON that the database answered; raises SilenceError when it answered nothing."""
    if said.code != 0:
        raise SilenceError(said.reason)
    return dict(json.loads(said.text))


def settings(folder: Path, more: Mapping[str, str], admitted: str = OWN_ACCOUNT) -> dict[str, str]:
    """Write who may connect, and return the settings that override those of the directory."""
    for file, text in (("pg_hba.conf", admitted), ("pg_ident.conf", "")):
        (folder / file).write_text(text)
        os.chmod(folder / file, 0o644)  # noqa: PTH101 - as the account of PostgreSQL reads it
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "port": "5432",
        "ssl": "off",
        "hba_file": str(folder / "pg_hba.conf"),
        "ident_file": str(folder / "pg_ident.conf"),
        "archive_mode": "off",
        "primary_conninfo": "",
        "synchronous_standby_names": "",
        "logging_collector": "off",
        "restart_after_crash": "off",
        **more,
    }
