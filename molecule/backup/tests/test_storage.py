"""What becomes of the selling, and of the archive, when the storage is away, or a stranger, or not wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from molecule.backup.tests.conftest import Stage
    from molecule.conftest import Playbooks

# From the settings, not measured: pgBackRest looks at the limit when it begins a round; one below it tries each
# segment for io-timeout first (12 of 10 s), and PostgreSQL sleeps a minute after its third failure.
GIVEN_UP = 360


@pytest.fixture
def _cut(stage: Stage) -> Iterator[None]:
    """Cut the storage off, and mend it in any case."""
    stage.store.check_output("systemctl stop haproxy")
    yield
    stage.store.check_output("systemctl start haproxy")


@pytest.mark.usefixtures("_cut")
def test_selling_goes_on_without_the_storage(stage: Stage) -> None:
    for number in range(3):
        stage.sell(f"cut off {number}")
        stage.local("SELECT pg_switch_wal()")
    assert stage.within(60, lambda: stage.figure("wal", "wal_waiting_segments") >= 3)
    assert stage.figure("wal", "wal_waiting_since_timestamp_seconds") > 0
    code, said = stage.do("take", backup_take_attempts=1)
    assert code != 0
    assert "The backup storage did not answer" in said
    assert "Selling goes on" in said
    assert stage.figure("run", "run_ok") == 0
    stage.sell("still selling")


def test_the_archive_catches_up_afterwards(stage: Stage) -> None:
    assert stage.within(GIVEN_UP, lambda: stage.figure("wal", "wal_waiting_segments") == 0)
    code, said = stage.do("take")
    assert code == 0, said
    assert stage.figure("run", "run_ok") == 1
    code, said = stage.do("verify")
    assert code == 0, said


@pytest.mark.usefixtures("_cut")
def test_wal_beyond_the_limit_is_given_up_and_the_gap_is_named(stage: Stage) -> None:
    for number in range(12):
        stage.sell(f"far too long {number}")
        stage.local("SELECT pg_switch_wal()")
    assert stage.within(GIVEN_UP, lambda: stage.figure("wal", "wal_waiting_segments") == 0)
    assert stage.within(60, lambda: stage.figure("wal", "wal_dropped_timestamp_seconds") > 0)
    stage.sell("the disk is not full")
    stage.store.check_output("systemctl start haproxy")
    stage.send()
    code, said = stage.do("verify")
    assert code != 0
    assert "WAL gap: " in said


def test_a_gap_is_told_until_a_full_backup_and_named_while_older_ones_are_kept(stage: Stage) -> None:
    code, said = stage.do("take")
    assert code == 0, said
    code, said = stage.do("verify")
    assert code != 0
    assert "WAL gap: " in said
    code, said = stage.do("take", backup_take_type="full")
    assert code == 0, said
    code, said = stage.do("verify")
    assert code == 0, said
    assert "moments between missing WAL (" in " ".join(said.split())


def test_a_gap_leaves_with_the_backups_before_it(stage: Stage) -> None:
    code, said = stage.do("take", backup_take_type="full")
    assert code == 0, said
    code, said = stage.do("verify")
    assert code == 0, said
    assert "moments between missing WAL (" not in " ".join(said.split())


def test_a_configuration_that_pgbackrest_refuses_never_lands(stage: Stage, playbooks: Playbooks) -> None:
    before = stage.one.file("/etc/pgbackrest/pgbackrest.conf").sha256sum
    wrong = '{"backup_processes": 0}'
    code, said = playbooks.run("molecule/backup/converge.yml", "--limit", "database", "--extra-vars", wrong)
    assert code != 0, said
    assert stage.one.file("/etc/pgbackrest/pgbackrest.conf").sha256sum == before


def test_a_site_without_object_storage_is_left_alone(stage: Stage, playbooks: Playbooks) -> None:
    code, said = playbooks.run(
        "molecule/backup/converge.yml", "--limit", "database", "--extra-vars", '{"backup_enabled": false}'
    )
    assert code == 0, said
    assert "Install pgBackRest" not in said
    code, said = stage.do("take", backup_enabled=False)
    assert code != 0
    assert "backup_enabled is false for mol-backup-one" in said


def test_another_authority_is_not_trusted(stage: Stage) -> None:
    """TLS is verified: with the host's own authorities the storage is a stranger."""
    strangers = "--repo1-storage-ca-file=/etc/ssl/certs/ca-certificates.crt --io-timeout=2"
    said = stage.one.run(f"sudo -u postgres pgbackrest --stanza=understudy {strangers} info")
    assert "certificate" in said.stdout + said.stderr
    assert "full backup" not in said.stdout
