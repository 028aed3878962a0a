"""What a client of the consensus can observe."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host

    from molecule.conftest import Playbooks

CONVERGE = "molecule/consensus/converge.yml"
ADDRESSES = {
    "mol-consensus-colo": "10.210.254.40",
    "mol-consensus-cloud": "10.210.254.41",
    "mol-consensus-witness": "10.210.254.42",
}
COLO, CLOUD, WITNESS = ADDRESSES
ETCDCTL = ". /etc/profile.d/understudy-consensus.sh; etcdctl --command-timeout=3s "


def member(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


@pytest.fixture(scope="module")
def members() -> dict[str, Host]:
    return {name: member(name) for name in ADDRESSES}


def etcdctl(host: Host, words: str) -> Any:
    return host.run(f"sh -c '{ETCDCTL}{words}'")


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.2)
    return condition()


def test_three_members_know_each_other_and_one_leads(members: dict[str, Host]) -> None:
    found = json.loads(etcdctl(members[COLO], "endpoint status --cluster -w json").stdout)
    assert {entry["Endpoint"] for entry in found} == {f"https://{address}:2379" for address in ADDRESSES.values()}
    assert len({entry["Status"]["leader"] for entry in found}) == 1


def test_what_one_member_writes_another_reads(members: dict[str, Host]) -> None:
    assert etcdctl(members[CLOUD], "put /test/seat A1").succeeded
    assert etcdctl(members[WITNESS], "get --print-value-only /test/seat").stdout.strip() == "A1"


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_client_without_a_certificate_is_refused(members: dict[str, Host], name: str) -> None:
    tls = "/etc/understudy/tls"
    bare = f"etcdctl --command-timeout=2s --cacert={tls}/ca.crt --endpoints=https://{ADDRESSES[name]}:2379 get /"
    assert members[COLO].run(f"env ETCDCTL_API=3 {bare}").failed
    assert members[COLO].run(f"env ETCDCTL_API=3 {bare} --cert={tls}/host.crt --key={tls}/host.key").succeeded


def test_nothing_is_served_in_clear_but_metrics_on_loopback(members: dict[str, Host]) -> None:
    host = members[COLO]
    curl = "python3 -c \"import urllib.request as u; print(u.urlopen('http://{}/metrics', timeout=2).status)\""
    assert host.run(curl.format("127.0.0.1:2381")).stdout.strip() == "200"
    for listener in (f"{ADDRESSES[COLO]}:2379", f"{ADDRESSES[COLO]}:2380", f"{ADDRESSES[COLO]}:2381"):
        assert host.run(curl.format(listener)).failed


def test_the_data_is_for_its_account_only(members: dict[str, Host]) -> None:
    data = members[COLO].file("/var/lib/etcd/understudy")
    assert (data.user, data.mode) == ("etcd", 0o700)


def leads(host: Host) -> bool:
    status = json.loads(etcdctl(host, "endpoint status -w json").stdout)[0]["Status"]
    return bool(status["leader"] == status["header"]["member_id"])


def test_the_lead_comes_back_to_the_member_that_should_have_it(members: dict[str, Host]) -> None:
    timer = members[COLO].service("understudy-consensus-lead.timer")
    assert timer.is_enabled
    assert timer.is_running
    assert not members[WITNESS].service("understudy-consensus-lead.timer").is_enabled

    members[WITNESS].check_output("systemctl stop etcd")
    assert within(30, lambda: leads(members[COLO]) or leads(members[CLOUD]))
    leader = next(members[name] for name in (COLO, CLOUD) if leads(members[name]))
    leader.check_output("systemctl start understudy-consensus-lead")  # as its timer does
    assert leads(leader)
    members[WITNESS].check_output("systemctl start etcd")

    assert within(90, lambda: leads(members[WITNESS]))
    for name in (COLO, CLOUD):
        members[name].check_output("systemctl start understudy-consensus-lead")
        assert not members[name].service("understudy-consensus-lead.service").is_running
    assert leads(members[WITNESS])


def test_two_members_go_on_without_the_third_and_it_catches_up(members: dict[str, Host]) -> None:
    leader = next(name for name, host in members.items() if leads(host))
    others = [name for name in ADDRESSES if name != leader]
    assert members[leader].run("systemctl stop etcd").succeeded
    try:
        assert within(60, lambda: bool(etcdctl(members[others[0]], "put /test/seat B2").succeeded))
        assert etcdctl(members[others[1]], "get --print-value-only /test/seat").stdout.strip() == "B2"
    finally:
        assert members[leader].run("systemctl start etcd").succeeded
    assert within(60, lambda: etcdctl(members[leader], "get --print-value-only /test/seat").stdout.strip() == "B2")


def test_one_member_alone_takes_no_writes(members: dict[str, Host]) -> None:
    for name in (CLOUD, WITNESS):
        assert members[name].run("systemctl stop etcd").succeeded
    try:
        assert etcdctl(members[COLO], "put /test/seat C3").failed
    finally:
        for name in (CLOUD, WITNESS):
            assert members[name].run("systemctl start --no-block etcd").succeeded
    assert within(60, lambda: bool(etcdctl(members[COLO], "put /test/seat C3").succeeded))


def test_an_even_number_of_members_is_refused(playbooks: Playbooks) -> None:
    wrong = '{"consensus_members": [{"name": "a", "address": "192.0.2.1"}, {"name": "b", "address": "192.0.2.2"}]}'
    code, said = playbooks.run(CONVERGE, "--extra-vars", wrong)
    assert code != 0
    assert "There must be an odd number of members" in said


def test_a_leader_that_is_no_member_is_refused(playbooks: Playbooks) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars", "consensus_preferred_leader=nobody")
    assert code != 0
    assert "consensus_preferred_leader ('nobody') must be empty or one of the members" in " ".join(said.split())


def test_a_changed_setting_reaches_every_member_without_losing_the_majority(
    playbooks: Playbooks, members: dict[str, Host]
) -> None:
    process = playbooks.start(CONVERGE, "--extra-vars", "consensus_heartbeat_milliseconds=200")
    silent = 0
    while process.poll() is None:
        tries = (etcdctl(members[name], "put /test/beat 1").succeeded for name in ADDRESSES)
        silent = 0 if any(tries) else silent + 1
        assert silent < 2
    said, _ = process.communicate()
    assert process.returncode == 0, said
    for host in members.values():
        assert "heartbeat-interval: 200" in host.file("/etc/etcd/understudy.yml").content_string
        assert etcdctl(host, "endpoint health").succeeded
    assert playbooks.run(CONVERGE)[0] == 0


def test_a_restart_that_an_interrupted_run_left_out_is_made_good(
    playbooks: Playbooks, members: dict[str, Host]
) -> None:
    started = "systemctl show --value --property ActiveEnterTimestampMonotonic etcd"
    before = {name: host.check_output(started) for name, host in members.items()}
    members[WITNESS].check_output("touch /etc/etcd/understudy.yml")  # as a run leaves it that ended after writing
    code, said = playbooks.run(CONVERGE)
    assert code == 0, said
    assert [name for name, host in members.items() if host.check_output(started) != before[name]] == [WITNESS]
