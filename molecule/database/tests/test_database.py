"""What an application, and whoever tries to get in, can observe of the database."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.backend.base import CommandResult
    from testinfra.host import Host

    from molecule.conftest import Playbooks

CONVERGE = "molecule/database/converge.yml"
MEMBERS = {"mol-database-one": "10.210.254.46", "mol-database-two": "10.210.254.47"}
ENDPOINT = "host=database.understudy.internal hostaddr=127.0.0.1"
TLS = "sslmode=verify-full sslrootcert=/etc/understudy/tls/ca.crt"
BOOKING = f"dbname=booking user=booking password=test-only-booking {TLS}"
ASK = """
import sys, psycopg2
connection = psycopg2.connect(sys.argv[1], connect_timeout=3)
connection.autocommit = True
cursor = connection.cursor()
cursor.execute(sys.argv[2])
print(*(cursor.fetchone() if cursor.description else ()), sep="|")
"""
CALL = """
import json, ssl, sys, urllib.request
context = ssl.create_default_context(cafile="/etc/understudy/tls/ca.crt")
request = urllib.request.Request(sys.argv[1], method=sys.argv[2], data=None if sys.argv[2] == "GET" else b"{}")
print(urllib.request.urlopen(request, context=context, timeout=2).read().decode())
"""


def machine(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.3)
    return condition()


@dataclass(frozen=True)
class Stage:
    """The application's host and the members."""

    was: Host
    members: dict[str, Host]

    def ask(self, where: str, statement: str, host: Host | None = None) -> CommandResult:
        return (host or self.was).run(f"python3 -c {shlex.quote(ASK)} {shlex.quote(where)} {shlex.quote(statement)}")

    def call(self, name: str, path: str, method: str = "GET") -> CommandResult:
        return self.was.run(f"python3 -c {shlex.quote(CALL)} https://{MEMBERS[name]}:8008/{path} {method}")

    def cluster(self) -> dict[str, dict[str, Any]]:
        for name in MEMBERS:
            found = self.call(name, "cluster")
            if found.succeeded:
                return {member["name"]: member for member in json.loads(found.stdout)["members"]}
        return {}

    def leader(self) -> str:
        return next((name for name, member in self.cluster().items() if member["role"] == "leader"), "")

    def replica(self) -> str:
        return next(name for name in MEMBERS if name != self.leader())

    def whole(self) -> bool:
        return sorted(member["state"] for member in self.cluster().values()) in (
            ["running", "running"],
            ["running", "streaming"],
        ) and any(member["role"] == "leader" for member in self.cluster().values())

    def local(self, name: str, statement: str) -> str:
        command = f"sudo -u postgres psql -AtX -c {shlex.quote(statement)}"
        return str(self.members[name].check_output(command)).strip()

    def write_for(self, seconds: int, where: str, log: str) -> None:
        self.was.check_output(
            f"systemd-run --quiet --collect python3 /root/writer.py {shlex.quote(f'{where} {BOOKING}')} {log} {seconds}"
        )

    def acknowledged(self, log: str) -> list[tuple[float, str]]:
        lines = str(self.was.run(f"cat {log}").stdout).split("\n")[:-1]
        return [(float(line.split()[0]), line.split()[1]) for line in lines]


@pytest.fixture(scope="module")
def stage() -> Stage:
    stage = Stage(machine("mol-database-was"), {name: machine(name) for name in MEMBERS})
    assert within(120, stage.whole)
    made = stage.ask(f"{ENDPOINT} {BOOKING}", "CREATE TABLE IF NOT EXISTS ticks (number bigint)")
    assert made.succeeded, made.stderr
    return stage


def test_an_application_reaches_the_leader_through_its_endpoint(stage: Stage) -> None:
    found = stage.ask(f"{ENDPOINT} {BOOKING}", "SELECT host(inet_server_addr()), pg_is_in_recovery()")
    assert found.stdout.strip() == f"{MEMBERS[stage.leader()]}|False"


@pytest.mark.parametrize("place", [ENDPOINT, "host=10.210.254.46", "host=10.210.254.47"])
def test_nobody_gets_in_without_tls(stage: Stage, place: str) -> None:
    refused = stage.ask(f"{place} {BOOKING.replace('sslmode=verify-full', 'sslmode=disable')}", "SELECT 1")
    assert "no pg_hba.conf entry" in refused.stderr
    assert "no encryption" in refused.stderr


def test_a_wrong_password_is_refused(stage: Stage) -> None:
    refused = stage.ask(f"{ENDPOINT} {BOOKING.replace('test-only-booking', 'guessed')}", "SELECT 1")
    assert "password authentication failed" in refused.stderr


@pytest.mark.parametrize("user", ["postgres", "replicator", "rewind"])
def test_the_databases_own_accounts_cannot_come_from_the_application(stage: Stage, user: str) -> None:
    where = f"{ENDPOINT} dbname=postgres user={user} password=test-only-superuser {TLS}"
    assert "pg_hba.conf rejects connection" in stage.ask(where, "SELECT 1").stderr


def test_a_host_that_is_no_client_is_refused(stage: Stage) -> None:
    leader, replica = stage.leader(), stage.replica()
    refused = stage.ask(f"host={MEMBERS[leader]} {BOOKING}", "SELECT 1", stage.members[replica])
    assert "no pg_hba.conf entry" in refused.stderr


def test_a_replica_takes_no_writes(stage: Stage) -> None:
    refused = stage.ask(f"host={MEMBERS[stage.replica()]} {BOOKING}", "INSERT INTO ticks VALUES (0)")
    assert "read-only transaction" in refused.stderr


def test_replication_is_encrypted_and_data_has_checksums(stage: Stage) -> None:
    leader = stage.leader()
    assert stage.local(leader, "SELECT ssl FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)") == "t"
    assert stage.local(leader, "SHOW data_checksums") == "on"


def test_passwords_are_kept_as_scram_and_from_other_accounts(stage: Stage) -> None:
    weak = "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'"
    assert stage.local(stage.leader(), weak) == "0"
    for host in stage.members.values():
        file = host.file("/etc/patroni/config.yml")
        assert (file.user, file.group, file.mode) == ("root", "postgres", 0o640)


def test_anyone_may_ask_who_leads_but_not_change_it(stage: Stage) -> None:
    name = stage.leader()
    assert stage.call(name, "primary").succeeded
    assert "401" in stage.call(name, "restart", "POST").stderr
    assert "401" in stage.call(name, "config", "PATCH").stderr


def test_a_new_password_and_a_new_setting_arrive_without_a_restart(playbooks: Playbooks, stage: Stage) -> None:
    started = {name: stage.local(name, "SELECT pg_postmaster_start_time()") for name in MEMBERS}
    new = {
        "database_users": [{"name": "booking", "password": "test-only-other"}],
        "database_verify_password": "test-only-other",
        "database_parameters": {"work_mem": "9MB"},
    }
    code, said = playbooks.run(CONVERGE, "--extra-vars", json.dumps(new))
    assert code == 0, said
    assert stage.ask(f"{ENDPOINT} {BOOKING}", "SELECT 1").failed
    assert stage.ask(f"{ENDPOINT} {BOOKING.replace('test-only-booking', 'test-only-other')}", "SELECT 1").succeeded
    assert within(60, lambda: [stage.local(name, "SHOW work_mem") for name in MEMBERS] == ["9MB", "9MB"])
    assert playbooks.run(CONVERGE)[0] == 0
    assert stage.ask(f"{ENDPOINT} {BOOKING}", "SELECT 1").succeeded
    assert {name: stage.local(name, "SELECT pg_postmaster_start_time()") for name in MEMBERS} == started


def test_a_planned_switch_costs_seconds_and_no_write(stage: Stage) -> None:
    old, new = stage.leader(), stage.replica()
    stage.write_for(60, ENDPOINT, "/root/switch.log")
    assert within(60, lambda: len(stage.acknowledged("/root/switch.log")) > 20)
    said = stage.members[old].run(
        f"patronictl -c /etc/patroni/config.yml switchover understudy --leader {old} --candidate {new} --force"
    )
    assert "Successfully switched over" in said.stdout, said.stdout + said.stderr
    assert within(90, lambda: stage.leader() == new and stage.whole())
    assert within(60, lambda: stage.acknowledged("/root/switch.log")[-1][1] == MEMBERS[new])
    times = [at for at, _ in stage.acknowledged("/root/switch.log")]
    assert max(after - at for at, after in itertools.pairwise(times)) < 10


def test_every_member_looks_often_whether_its_postgresql_has_stopped(stage: Stage) -> None:
    """The pause is a constant of Patroni's; the launcher must still find it there."""
    for member in stage.members.values():
        pid = member.check_output("systemctl show --value --property MainPID patroni")
        assert "understudy-patroni" in member.check_output(f"ps -o args= -p {pid}")
        pause = "from patroni import postgresql as p; print(p.STOP_POLLING_INTERVAL)"
        assert member.check_output(f'python3 -c "{pause}"') == "1"


def test_a_guard_that_is_killed_again_and_again_disturbs_nothing(stage: Stage) -> None:
    leader = stage.leader()
    started = stage.local(leader, "SELECT pg_postmaster_start_time()")
    for _ in range(4):
        stage.members[leader].check_output("systemctl kill --signal=KILL understudy-lease-guard")
        assert within(60, lambda: stage.members[leader].service("understudy-lease-guard").is_running)
    assert stage.leader() == leader
    assert stage.local(leader, "SELECT pg_postmaster_start_time()") == started
    state = json.loads(stage.members[leader].file("/run/understudy-lease-guard/state.json").content_string)
    assert state["held_until"] - state["at"] > 8


def test_a_leader_with_a_frozen_patroni_stops_before_the_other_is_promoted(stage: Stage) -> None:
    old, new = stage.leader(), stage.replica()
    for name, address in MEMBERS.items():
        stage.write_for(90, f"host={address}", f"/root/{name}.log")
    assert within(60, lambda: len(stage.acknowledged(f"/root/{old}.log")) > 20)
    stage.members[old].check_output("systemctl kill --kill-whom=main --signal=STOP patroni")
    try:
        assert within(75, lambda: stage.leader() == new and len(stage.acknowledged(f"/root/{new}.log")) > 20)
        last, first = stage.acknowledged(f"/root/{old}.log")[-1][0], stage.acknowledged(f"/root/{new}.log")[0][0]
        assert last < first, f"both took writes for {last - first:.2f} s"
        journal = stage.members[old].check_output("journalctl --unit understudy-lease-guard --output cat")
        assert "event=stopped_postgresql" in journal
        assert "the lease was not renewed" in journal
        assert stage.ask(f"{ENDPOINT} {BOOKING}", "SELECT host(inet_server_addr())").stdout.strip() == MEMBERS[new]
    finally:
        stage.members[old].check_output("systemctl kill --kill-whom=main --signal=CONT patroni")
    assert within(120, stage.whole)
    assert stage.leader() == new


def test_timings_that_could_cost_a_healthy_leader_its_lease_are_refused(playbooks: Playbooks) -> None:
    code, said = playbooks.run(CONVERGE, "--limit", "database", "--extra-vars", '{"database_retry_seconds": 9}')
    assert code != 0
    assert "with the guard that + margin + 2" in said


def test_the_proof_names_a_member_that_is_not_there(playbooks: Playbooks) -> None:
    servers = [{"name": name, "address": address} for name, address in MEMBERS.items()]
    ghost = {"database_endpoint_servers": [*servers, {"name": "ghost", "address": "10.210.254.49"}]}
    code, said = playbooks.run("molecule/database/prove.yml", "--extra-vars", json.dumps(ghost))
    assert code != 0
    assert "not running or not following: ghost" in said


def test_the_proof_says_why_an_application_cannot_write(playbooks: Playbooks) -> None:
    code, said = playbooks.run("molecule/database/prove.yml", "--extra-vars", "database_verify_password=guessed")
    assert code != 0
    assert "password authentication failed" in said
    assert "guessed" not in said


def test_the_endpoint_can_lead_to_a_database_that_others_run(playbooks: Playbooks, stage: Stage) -> None:
    def lead_to(name: str) -> tuple[int, str]:
        servers = [{"name": "theirs", "address": MEMBERS[name]}]
        foreign = json.dumps({"database_external": True, "database_external_servers": servers})
        return playbooks.run(CONVERGE, "--limit", "was", "--extra-vars", foreign)

    leader, replica = stage.leader(), stage.replica()
    asked = "SELECT host(inet_server_addr()), pg_is_in_recovery()"
    try:
        code, said = lead_to(leader)
        assert code == 0, said
        assert stage.ask(f"{ENDPOINT} {BOOKING}", asked).stdout.strip() == f"{MEMBERS[leader]}|False"
        # Where the servers' owners say, whoever has the lease: an endpoint that asked Patroni would not come here.
        code, said = lead_to(replica)
        assert stage.ask(f"{ENDPOINT} {BOOKING}", asked).stdout.strip() == f"{MEMBERS[replica]}|True", said
        assert code != 0
        assert "read-only transaction" in said
    finally:
        assert playbooks.run(CONVERGE, "--limit", "was")[0] == 0
    assert stage.ask(f"{ENDPOINT} {BOOKING}", asked).stdout.strip() == f"{MEMBERS[stage.leader()]}|False"
