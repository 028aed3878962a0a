"""What an operator, and a thief of the storage, can observe of the backups: taken, damaged on purpose, restored."""

from __future__ import annotations

import re
import shlex
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from molecule.backup.tests.conftest import Stage

RESTORED = "/var/lib/postgresql/restored"
SOCKET = "/var/lib/postgresql"  # of what was restored
FLIP = """
import pathlib
path = pathlib.Path("/tmp/changed")
data = bytearray(path.read_bytes())
data[len(data) // 2] ^= 255
path.write_bytes(data)
"""


def test_secrets_are_readable_by_the_database_alone(stage: Stage) -> None:
    file = stage.one.file("/etc/pgbackrest/pgbackrest.conf")
    assert (file.user, file.group, file.mode) == ("root", "postgres", 0o640)
    assert stage.one.run("sudo -u nobody cat /etc/pgbackrest/pgbackrest.conf").failed
    assert stage.one.run("grep -rqs test-only /var/log/pgbackrest /var/lib/pgbackrest").failed


def test_a_thief_of_the_storage_reads_nothing(stage: Stage) -> None:
    for name in (stage.objects("backup/understudy/backup.info")[0], stage.objects("archive/understudy/17-1/0")[0]):
        assert stage.swift(f"download backup {name} -o /tmp/stolen").succeeded
        assert stage.store.check_output("head --bytes=8 /tmp/stolen") == "Salted__"


def test_monitoring_is_told_what_was_taken(stage: Stage) -> None:
    assert stage.figure("run", "run_ok") == 1
    assert time.time() - stage.figure("newest", "newest_timestamp_seconds") < 3600
    assert stage.figure("newest", "newest_size_bytes") > 20e6
    assert stage.figure("newest", "newest_duration_seconds") >= 1
    assert stage.within(30, lambda: stage.figure("wal", "wal_waiting_segments") == 0)


def test_what_is_whole_is_called_whole(stage: Stage) -> None:
    code, said = stage.do("verify")
    assert code == 0, said
    assert re.search(r"\d+ backups and \d+ segments of WAL are whole", said)
    assert stage.figure("verify", "verify_ok") == 1


@pytest.mark.parametrize("damage", ["object missing", "bytes flipped", "WAL gap"])
def test_damage_is_named(stage: Stage, damage: str) -> None:
    full = next(label for label in stage.labels() if label.endswith("F"))
    segments = [name for name in stage.objects("archive/understudy/17-1/0") if ".backup" not in name]
    name = segments[len(segments) // 2] if damage == "WAL gap" else stage.objects(f"backup/understudy/{full}/bundle")[0]
    assert stage.swift(f"download backup {name} -o /tmp/kept").succeeded
    assert stage.store.run("cp /tmp/kept /tmp/changed").succeeded
    assert stage.swift(f"delete backup {name}").succeeded
    if damage == "bytes flipped":
        assert stage.store.run(f"python3 -c {shlex.quote(FLIP)}").succeeded
        assert stage.swift(f"upload backup /tmp/changed --object-name {name}").succeeded
    try:
        code, said = stage.do("verify")
    finally:
        assert stage.swift(f"upload backup /tmp/kept --object-name {name}").succeeded
    assert code != 0
    lost = name.rpartition("/")[2][:24] if damage == "WAL gap" else f"{full}/bundle/1"
    sentence = re.search(rf"{damage}: [^:]*{re.escape(lost)}", said)
    assert sentence, said
    if damage != "WAL gap":
        spoiled = [label for label in stage.labels() if label.startswith(full)]
        assert f"Do not trust {', '.join(spoiled)}." in said  # what leans on it is spoiled, too
    assert stage.figure("verify", "verify_ok") == 0


def test_what_was_mended_is_called_whole_again(stage: Stage) -> None:
    code, said = stage.do("verify")
    assert code == 0, said
    assert stage.figure("verify", "verify_ok") == 1


def test_too_old_and_growing_oddly_is_said(stage: Stage) -> None:
    code, said = stage.do("verify", backup_verify_oldest_hours=0.0001)
    assert code != 0
    assert "too old: the newest backup" in said


def test_a_moment_comes_back_in_an_empty_place(stage: Stage) -> None:
    stage.sell("before")
    moment = stage.local(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'Asia/Seoul', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+09:00'"
    )
    sold = stage.local("SELECT count(*), max(at) FROM sold")
    stage.sell("after")
    stage.send()
    code, said = stage.do("restore", backup_restore_moment=moment)
    assert code == 0, said
    assert f"{RESTORED} holds the database as of" in said
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": SOCKET,
        "ssl": "off",
        "archive_mode": "off",
        "hba_file": f"{RESTORED}/pg_hba.conf",
    }
    start = f'-o "{" ".join(f"-c {name}={value}" for name, value in settings.items())}"'
    control = f"sudo -u postgres /usr/lib/postgresql/*/bin/pg_ctl -D {RESTORED} -w -l {SOCKET}/restored.log"
    stage.one.check_output(f"{control} {start} start")
    try:
        assert stage.local("SELECT count(*), max(at) FROM sold", SOCKET) == sold
        assert stage.local("SELECT count(*) FROM sold WHERE name = 'after'", SOCKET) == "0"
        assert stage.local("SELECT count(*) FROM bulk", SOCKET) == "400000"
        code, said = stage.do("restore", backup_restore_replace=f"replace {RESTORED}")
        assert code != 0
        assert f"PostgreSQL runs in {RESTORED}" in said
    finally:
        stage.one.check_output(f"{control} -m immediate stop")


def test_a_place_is_given_up_only_in_so_many_words(stage: Stage) -> None:
    code, said = stage.do("restore")
    assert code != 0
    assert f"{RESTORED} is not empty" in said
    code, said = stage.do("restore", backup_restore_replace="yes")
    assert code != 0
    code, said = stage.do("restore", backup_restore_replace=f"replace {RESTORED}")
    assert code == 0, said


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"backup_restore_place": "/var/lib/postgresql/understudy"},
            "PostgreSQL runs in /var/lib/postgresql/understudy",
        ),
        ({"backup_restore_place": "/nowhere/at/all"}, "/nowhere/at/all is no place for a database"),
        ({"backup_restore_moment": "2031-01-01T00:00:00+09:00"}, "cannot be reached. The storage holds from 20"),
        ({"backup_restore_moment": "2001-01-01T00:00:00+09:00"}, "cannot be reached. The storage holds from 20"),
        ({"backup_restore_moment": "2026-11-28T21:15:00"}, "has no time zone"),
        ({"backup_restore_moment": "yesterday evening"}, "'yesterday evening' is no moment"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(stage: Stage, variables: dict[str, str], sentence: str) -> None:
    code, said = stage.do("restore", **{"backup_restore_place": "/var/lib/postgresql/elsewhere", **variables})
    assert code != 0
    assert sentence in said, said
    assert not stage.one.file("/var/lib/postgresql/elsewhere").exists


def test_of_two_at_once_one_is_refused(stage: Stage) -> None:
    before = stage.labels()
    both = [stage.start("take", backup_take_type="full") for _ in range(2)]
    said = [" ".join(process.communicate()[0].split()) for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    assert sum("Refused: a backup of this database is being taken already" in each for each in said) == 1
    assert len(set(stage.labels()) - set(before)) == 1
    assert stage.figure("run", "run_ok") == 1


def test_what_a_killed_backup_left_does_not_block(stage: Stage) -> None:
    command = "pgbackrest --stanza=understudy --type=full --process-max=1 backup"
    stage.one.check_output(f"systemd-run --quiet --collect --unit=killed --uid=postgres {command}")
    lock = "flock --nonblock /var/lib/pgbackrest/lock/understudy-backup-1.lock true"
    assert stage.within(30, lambda: stage.one.run(lock).failed)
    stage.one.check_output("systemctl kill --signal=KILL killed")
    assert stage.within(30, lambda: stage.one.run(lock).succeeded)  # its processes are gone
    assert stage.one.file("/var/lib/pgbackrest/lock/understudy-backup-1.lock").exists
    code, said = stage.do("take")
    assert code == 0, said
