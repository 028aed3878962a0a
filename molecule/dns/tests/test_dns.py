"""What resolvers and operators see of two authoritative servers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testinfra.host import Host

    from molecule.conftest import Playbooks

CONVERGE, SWITCH = "molecule/dns/converge.yml", "molecule/dns/switch.yml"
WITNESS, CLOUD = "10.210.254.86", "10.210.254.87"
BOTH = [WITNESS, CLOUD]
HOSTS = {WITNESS: "mol-dns-witness", CLOUD: "mol-dns-cloud"}
both_servers = pytest.mark.parametrize("server", BOTH, ids=["primary", "secondary"])


def host(address: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{HOSTS[address]}?ansible_inventory={inventory}", sudo=True)


def ask(server: str, *words: str, asker: str = CLOUD) -> str:
    """Ask one server, from a host that has the means."""
    return str(host(asker).run(f"kdig @{server} +timeout=3 +retry=1 {' '.join(words)}").stdout)


def addresses(server: str, name: str = "tickets.example.test") -> list[str]:
    asker = CLOUD if server == WITNESS else WITNESS
    return sorted(ask(server, name, "A", "+short", asker=asker).split())


def update(change: str, *, sender: str = WITNESS, server: str = WITNESS, signed: bool = True) -> str:
    """Send one update; return what the server said, nothing when it took it."""
    signature = "-k /root/update.key" if signed else ""
    lines = f"server {server}\\nzone example.test\\n{change}\\nsend\\n"
    done = host(sender).run(f"printf '{lines}' | knsupdate {signature}")
    return str(done.stdout + done.stderr)


def wait_until(condition: Callable[[], bool], what: str, deadline_seconds: float = 40) -> None:
    end = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"
        time.sleep(0.2)


def send_customers_to(*values: str) -> None:
    added = "".join(f"\\nupdate add tickets.example.test. 15 A {value}" for value in values)
    assert update(f"update delete tickets.example.test. A{added}") == ""
    wait_until(lambda: all(addresses(server) == sorted(values) for server in BOTH), f"both say {values}")


@pytest.fixture(autouse=True)
def _as_it_began() -> None:
    send_customers_to("192.0.2.1", "192.0.2.2")


@both_servers
def test_both_servers_answer_with_authority_for_fifteen_seconds(server: str) -> None:
    said = ask(server, "tickets.example.test", "A")
    assert "flags: qr aa" in said.lower().replace(";", "") or " aa " in said
    assert "tickets.example.test. 15 IN A 192.0.2.1" in " ".join(said.split())


@both_servers
def test_both_servers_name_each_other(server: str) -> None:
    assert sorted(ask(server, "example.test", "NS", "+short").split()) == ["ns1.example.test.", "ns2.example.test."]
    assert addresses(server, "ns2.example.test") == [CLOUD]


@both_servers
def test_names_of_others_are_refused(server: str) -> None:
    assert "REFUSED" in ask(server, "www.example.org", "A", "+recurse")


@both_servers
def test_nobody_learns_the_zone_without_the_key(server: str) -> None:
    assert "192.0.2" not in ask(server, "example.test", "AXFR")
    assert "192.0.2.1" in ask(server, "example.test", "AXFR", "-k", "/root/update.key")


def test_a_signed_update_reaches_both_servers_within_seconds() -> None:
    send_customers_to("192.0.2.7")


def test_an_unsigned_update_is_refused() -> None:
    assert update("update add evil.example.test. 15 A 192.0.2.66", signed=False) != ""
    assert addresses(WITNESS, "evil.example.test") == []


def test_a_signed_update_from_elsewhere_is_refused() -> None:
    assert update("update add evil.example.test. 15 A 192.0.2.66", sender=CLOUD) != ""
    assert addresses(WITNESS, "evil.example.test") == []


def test_only_the_declared_address_is_listened_on() -> None:
    listening = host(WITNESS).check_output("ss -Hlntu sport = :53")
    assert {line.split()[4] for line in listening.splitlines()} == {f"{WITNESS}:53"}


def test_the_key_is_for_the_server_only_and_in_no_log() -> None:
    witness = host(WITNESS)
    file = witness.file("/etc/knot/understudy-key.conf")
    assert (file.user, file.group, file.mode) == ("root", "knot", 0o640)
    assert witness.run("grep -rlFf /root/secret /var/log /etc /run/knot").stdout.split() == [file.path]
    assert witness.run("journalctl --no-pager | grep -cFf /root/secret").stdout.strip() == "0"


def test_a_run_leaves_what_updates_own_and_restores_what_the_role_owns(playbooks: Playbooks) -> None:
    send_customers_to("192.0.2.9")
    assert update("update delete mail.example.test. A\\nupdate add mail.example.test. 15 A 192.0.2.66") == ""

    code, said = playbooks.run(CONVERGE)

    assert code == 0, said
    assert [addresses(server) for server in BOTH] == [["192.0.2.9"], ["192.0.2.9"]]
    declared = ["192.0.2.25"]
    wait_until(lambda: all(addresses(server, "mail.example.test") == declared for server in BOTH), "it is as declared")


@pytest.mark.parametrize("dark", BOTH, ids=["without the primary", "without the secondary"])
def test_answers_survive_the_loss_of_one_server_and_a_restart_of_the_other(dark: str) -> None:
    send_customers_to("192.0.2.8")
    other = WITNESS if dark == CLOUD else CLOUD
    host(dark).check_output("systemctl stop knot")
    try:
        host(other).check_output("systemctl restart knot")
        assert addresses(other) == ["192.0.2.8"]
    finally:
        host(dark).check_output("systemctl start knot")


class TestSwitch:
    ANSWERING = '{"balancer_switch_port": 22, "balancer_switch_addresses": ["10.210.254.86", "10.210.254.87"]}'

    def test_customers_are_sent_to_the_named_edges_and_it_is_proven(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run(SWITCH, "-e", self.ANSWERING)
        assert code == 0, said
        assert [addresses(server) for server in BOTH] == [BOTH, BOTH]
        assert "changed=0" in playbooks.run(SWITCH, "-e", self.ANSWERING)[1]

    def test_an_edge_that_accepts_nobody_gets_nobody(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run(SWITCH, "-e", '{"balancer_switch_addresses": ["10.210.254.87"]}')
        assert code != 0
        assert "10.210.254.87 accepts no connection on port 443, so no customer was sent there" in said
        assert addresses(WITNESS) == ["192.0.2.1", "192.0.2.2"]

    def test_customers_are_never_sent_to_no_edge(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run(SWITCH, "-e", '{"balancer_switch_addresses": []}')
        assert code != 0
        assert "expected at least one edge" in said

    def test_a_silent_secondary_fails_the_proof_unless_it_is_left_out(self, playbooks: Playbooks) -> None:
        host(CLOUD).check_output("systemctl stop knot")
        try:
            code, said = playbooks.run(SWITCH, "-e", self.ANSWERING)
            assert code != 0
            assert "10.210.254.87 says nothing" in said
            code, said = playbooks.run(SWITCH, "-e", self.ANSWERING, "-e", "balancer_dns_skip_silent_secondaries=true")
            assert code == 0, said
        finally:
            host(CLOUD).check_output("systemctl start knot")

    def test_check_mode_moves_nobody(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run(SWITCH, "-e", self.ANSWERING, "--check")
        assert code == 0, said
        assert "changed=1" in said
        assert addresses(WITNESS) == ["192.0.2.1", "192.0.2.2"]


class TestPromotion:
    @pytest.fixture(autouse=True)
    def _back_again(self, playbooks: Playbooks) -> Iterator[None]:
        yield
        code, said = playbooks.run(CONVERGE)
        assert code == 0, said

    def test_a_promoted_secondary_takes_updates_and_the_old_primary_follows(self, playbooks: Playbooks) -> None:
        send_customers_to("192.0.2.8")
        promoted = ("-e", "dns_primary=mol-dns-cloud")
        host(WITNESS).check_output("systemctl stop knot")

        code, said = playbooks.run(CONVERGE, *promoted, "--limit", "mol-dns-cloud")

        assert code == 0, said
        assert addresses(CLOUD) == ["192.0.2.8"]
        change = "update delete tickets.example.test. A\\nupdate add tickets.example.test. 15 A 192.0.2.10"
        assert update(change, sender=CLOUD, server=CLOUD) == ""
        assert addresses(CLOUD) == ["192.0.2.10"]

        code, said = playbooks.run(CONVERGE, *promoted)

        assert code == 0, said
        wait_until(lambda: addresses(WITNESS) == ["192.0.2.10"], "the old primary follows")
