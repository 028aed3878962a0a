"""A backup of the lab's database goes to the cloud's object storage, is verified, and is proven by a restore."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Done, Lab, run

HOST, PLACE, SOCKET = "colo-db1", "/var/lib/postgresql/proof", "/tmp/proof"
PG_CTL = "$(ls -d /usr/lib/postgresql/*/bin | tail -1)/pg_ctl"
QUIETLY = f"-c listen_addresses= -c unix_socket_directories={SOCKET} -c ssl=off -c archive_mode=off"
QUIETLY += f" -c hba_file={PLACE}/pg_hba.conf"
CONFIRMED = "SELECT count(*), max(confirmed_at) FROM bookings WHERE state = 'confirmed'"


def playbook(name: str, *arguments: str) -> Done:
    return run(["ansible-playbook", f"playbooks/{name}.yml", *arguments], 600)


def as_postgres(lab: Lab, command: str) -> str:
    done = lab.on(HOST, f"sudo -u postgres sh -c {shlex.quote(command)}", 60)
    assert done.ok, done.out + done.err
    return done.out.strip()


@pytest.fixture
def empty_place(lab: Lab) -> Iterator[None]:
    yield
    lab.on(HOST, f"sudo -u postgres sh -c {shlex.quote(f'{PG_CTL} -D {PLACE} -m immediate stop')}")
    lab.on(HOST, f"sudo rm -rf {PLACE} {SOCKET}")


@pytest.mark.usefixtures("empty_place")
def test_what_customers_bought_comes_back_from_the_object_storage(lab: Lab) -> None:
    sold = as_postgres(lab, f'psql -AtX booking -c "{CONFIRMED}"')
    taken = playbook("take_backup", "-e", "backup_type=full")
    assert taken.ok, taken.out[-3000:] + taken.err
    assert re.search(r"\d{8}-\d{6}F \(full\) is in repository 1", " ".join(taken.out.split()))

    verified = playbook("verify_backup")
    assert verified.ok, verified.out[-3000:] + verified.err

    restored = playbook("restore_backup", "-e", f"restore_on={HOST}", "-e", f"restore_place={PLACE}")
    assert restored.ok, restored.out[-3000:] + restored.err
    as_postgres(lab, f'mkdir -p {SOCKET} && {PG_CTL} -D {PLACE} -l {SOCKET}/log -w -o "{QUIETLY}" start')
    assert as_postgres(lab, f'psql -AtX -h {SOCKET} booking -c "{CONFIRMED}"') == sold


def test_a_restore_over_the_database_that_sells_is_refused(lab: Lab) -> None:
    running = as_postgres(lab, 'psql -AtX -c "SHOW data_directory"')
    refused = playbook("restore_backup", "-e", f"restore_on={HOST}", "-e", f"restore_place={running}")
    assert not refused.ok
    assert "PostgreSQL runs in" in " ".join(refused.out.split())
    assert as_postgres(lab, 'psql -AtX -c "SELECT pg_is_in_recovery()"') == "f"


def test_the_clouds_ops_host_alone_can_open_the_key(lab: Lab) -> None:
    key = "sed -n 's/^repo1-cipher-pass=//p' /etc/pgbackrest/pgbackrest.conf | tr -d '\\n' | sha256sum"
    place = "/etc/understudy/backup"
    first = 'import json, sys; print(json.load(sys.stdin)[0]["cipher_pass"], end="")'
    opened = f"age --decrypt --identity {place}/identity {place}/repositories.age"
    sealed = f"{opened} | python3 -c {shlex.quote(first)} | sha256sum"
    at_the_colo = lab.on(HOST, f"sudo sh -c {shlex.quote(key)}")
    in_the_cloud = lab.on("cloud-ops1", f"sudo sh -c {shlex.quote(sealed)}")
    assert at_the_colo.ok, at_the_colo.err
    assert in_the_cloud.ok, in_the_cloud.err
    assert at_the_colo.out == in_the_cloud.out
    assert not lab.on("cloud-ops1", f"cat {place}/repositories.age").ok  # as nobody but root
