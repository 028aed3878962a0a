"""Make the services' empty databases once, and keep them for every later cloud.

The tables of five services take most of a cold start; they depend on nothing but the packages. So MariaDB's files are
kept as they are after the migrations: without a user, a password or an address in them (the services come in as root
over a socket that only root can reach, and the cell is written down as a template).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cloud_processes import confined
from lab.commands import run
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.cloud_layout import Layout

DATABASES = ("keystone", "glance", "placement", "nova_api", "nova", "nova_cell0", "neutron")

_PACKAGES = ("keystone", "glance-common", "placement-common", "nova-common", "neutron-common", "mariadb-server")
_SERVICES = ("keystone", "glance", "neutron", "placement", "nova")
_START_SECONDS = 30
_BUILD_SECONDS = 600
_CONFIGURATION = """\
[DEFAULT]
transport_url = rabbit://user:password@host:5672/
[database]
connection = {nova}
[api_database]
connection = {nova_api}
"""
# Nova fills in what its own configuration says, so that the stored databases hold no address and no password.
_CELL_DATABASE = "{{scheme}}://root@localhost/{name}?{{query}}"
_CELL_MESSAGES = "{scheme}://{username}:{password}@{hostname}:{port}/"


def server_options(data: Path, socket: Path) -> list[str]:
    """Return MariaDB's options: no network, and no wait for the disk (a lab may lose the last second)."""
    return [
        "--no-defaults",
        "--user=root",
        f"--datadir={data}",
        f"--socket={socket}",
        "--skip-networking",
        "--max-connections=400",
        "--performance-schema=OFF",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--character-set-server=utf8mb3",
        "--innodb-buffer-pool-size=96M",
        "--innodb-log-file-size=32M",
        "--innodb-flush-log-at-trx-commit=2",
        "--innodb-doublewrite=0",
        "--innodb-flush-method=nosync",
        "--innodb-file-per-table=0",
    ]


def key() -> str:
    """Return a digest of the packages' versions and of this recipe."""
    versions = run(["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *_PACKAGES])
    anywhere = Path("/")
    recipe = [
        DATABASES,
        _CONFIGURATION,
        server_options(anywhere, anywhere),
        _commands(dict.fromkeys(_SERVICES, anywhere)),
    ]
    return hashlib.sha256(f"{versions}{recipe}".encode()).hexdigest()[:20]


def is_built(layout: Layout) -> bool:
    """Tell whether the stored databases are those of the installed packages."""
    return (layout.paths.cache / "databases" / key()).exists()


def ensure(layout: Layout) -> bool:
    """Build the empty databases if the stored ones are missing or out of date; return whether they were built."""
    kept = layout.paths.cache / "databases"
    finished = kept / key()
    if finished.exists():
        return False
    shutil.rmtree(kept, ignore_errors=True)
    work = kept / "build"
    work.mkdir(parents=True)
    data, socket = work / "mysql", work / "s"
    run(
        [
            "mariadb-install-db",
            "--no-defaults",
            "--user=root",
            f"--datadir={data}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            "--innodb-file-per-table=0",
            "--innodb-log-file-size=32M",
        ],
        timeout_seconds=_BUILD_SECONDS,
    )
    with (
        (work / "mysql.log").open("wb") as log,
        subprocess.Popen(
            confined(["mariadbd", *server_options(data, socket)]), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as server,
    ):
        try:
            _wait_for(server, socket, work / "mysql.log")
            _migrate(work, socket)
            run(["mariadb-admin", "--no-defaults", "-uroot", f"--socket={socket}", "shutdown"])
        finally:
            server.kill()
    data.replace(finished)
    shutil.rmtree(work)
    return True


def restore(layout: Layout) -> bool:
    """Put the empty databases in place where the cloud has none; return whether it had none.

    Raises LabError when none are kept.
    """
    if layout.database.exists():
        return False
    kept = layout.paths.cache / "databases" / key()
    if not kept.exists():
        raise LabError(
            f"{kept} is missing, and with it the cloud's empty databases; run `make lab`, which builds them."
        )
    unfinished = layout.database.with_name("mysql.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "--archive", "--sparse=always", "--reflink=auto", str(kept), str(unfinished)])
    unfinished.replace(layout.database)
    return True


def connection(database: str, socket: Path) -> str:
    """Return SQLAlchemy's address of a database."""
    return f"mysql+pymysql://root@localhost/{database}?unix_socket={socket}"


def _wait_for(server: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            words = log.read_text(errors="replace")[-2000:]
            raise LabError(f"MariaDB did not start within {_START_SECONDS} s to make the cloud's databases: {words}")
        time.sleep(0.05)


def _migrate(work: Path, socket: Path) -> None:
    statements = "".join(f"CREATE DATABASE {name};" for name in DATABASES)
    run(["mariadb", "--no-defaults", "-uroot", f"--socket={socket}"], input_text=statements)
    addresses = {name: connection(name, socket) for name in DATABASES}
    files = {}
    for service in _SERVICES:
        directory = work / service
        directory.mkdir()
        files[service] = directory / f"{service}.conf"
        text = _CONFIGURATION.format(**addresses | {"nova": addresses[service]})
        files[service].write_text(text + f"[placement_database]\nconnection = {addresses['placement']}\n")
    with ThreadPoolExecutor(len(files)) as pool:
        for outcome in [pool.submit(_sync, commands) for commands in _commands(files)]:
            outcome.result()


def _sync(commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        run(confined(command), timeout_seconds=_BUILD_SECONDS)


def _commands(files: Mapping[str, Path]) -> list[list[list[str]]]:
    """Return one list of commands per service; those of one list depend on each other."""
    configured = {service: ["--config-file", str(path)] for service, path in files.items()}
    nova = ["nova-manage", *configured["nova"]]
    cell0, cell1 = (_CELL_DATABASE.format(name=name) for name in ("nova_cell0", "nova"))
    return [
        [["neutron-db-manage", *configured["neutron"], "upgrade", "heads"]],
        [
            [*nova, "api_db", "sync"],
            [*nova, "cell_v2", "map_cell0", "--database_connection", cell0],
            [*nova, "db", "sync"],
            [
                *nova,
                "cell_v2",
                "create_cell",
                "--name",
                "cell1",
                "--database_connection",
                cell1,
                "--transport-url",
                _CELL_MESSAGES,
            ],
        ],
        [["keystone-manage", *configured["keystone"], "db_sync"]],
        [
            ["glance-manage", *configured["glance"], "db_sync"],
            ["placement-manage", *configured["placement"], "db", "sync"],
        ],
    ]
