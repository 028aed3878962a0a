"""What a user of the host, and whoever comes from outside, can observe."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testinfra.host import Host

ADDRESS = "10.210.254.11"


@pytest.fixture(scope="module", params=[8081, 8082, 8083])
def service(request: pytest.FixtureRequest, host: Host) -> Iterator[int]:
    port = int(request.param)
    server = f"/usr/bin/python3 -m http.server --directory /var/empty {port}"
    with host.sudo():
        host.check_output(f"mkdir -p /var/empty && systemd-run --collect --unit=mol-{port} {server}")
        host.check_output(
            f"timeout 10 sh -c 'until ss --no-header --listening --tcp --numeric sport = {port} | grep -q .; "
            "do sleep 0.1; done'"
        )
        yield port
        host.check_output(f"systemctl stop mol-{port}")


def reachable(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=1):
            return True
    except OSError:
        return False


def test_only_what_was_allowed_can_be_reached_from_outside(service: int) -> None:
    assert reachable(service) == (service == 8081)


def test_a_host_reaches_its_own_services(host: Host, service: int) -> None:
    connect = f"import socket; socket.create_connection(('127.0.0.1', {service}), 1)"
    assert host.run(f'python3 -c "{connect}"').succeeded


def test_ssh_stays_open_for_those_who_administer_it() -> None:
    assert reachable(22)


def test_the_firewall_comes_up_at_boot(host: Host) -> None:
    assert host.service("nftables").is_enabled


def test_the_firewall_leaves_the_tables_of_others_alone(host: Host) -> None:
    with host.sudo():
        host.check_output("nft add table inet somebody_else")
        host.check_output("systemctl reload nftables")
        tables = host.check_output("nft list tables")
    assert "table inet somebody_else" in tables
    assert "table inet understudy" in tables


def test_a_broken_firewall_file_changes_nothing(host: Host) -> None:
    with host.sudo():
        before = host.check_output("nft --stateless list table inet understudy")
        host.check_output("cp /etc/nftables.conf /root/good")
        host.check_output("sed -i 's/policy drop/policy dorp/' /etc/nftables.conf")
        reload = host.run("systemctl reload nftables")
        after = host.check_output("nft --stateless list table inet understudy")
        host.check_output("mv /root/good /etc/nftables.conf")
    assert reload.failed
    assert before == after


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("permitrootlogin", "no"),
        ("passwordauthentication", "no"),
        ("kbdinteractiveauthentication", "no"),
        ("x11forwarding", "no"),
        ("usedns", "no"),
        ("maxsessions", "50"),
    ],
)
def test_ssh_is_hardened_in_what_the_running_server_obeys(host: Host, setting: str, value: str) -> None:
    with host.sudo():
        assert f"{setting} {value}\n" in host.check_output("sshd -T") + "\n"


def test_ssh_offers_no_outdated_algorithm(host: Host) -> None:
    with host.sudo():
        offered = host.check_output("sshd -T")
    lines = [line for line in offered.splitlines() if line.startswith(("kex", "ciphers", "macs"))]
    assert len(lines) == 3
    assert not any(old in line for line in lines for old in ("sha1", "nistp", "cbc", "ctr", "umac-64"))


def test_an_operator_may_log_in_by_key_only_and_use_sudo(host: Host) -> None:
    user = host.user("mina")
    assert "operators" in user.groups
    with host.sudo():
        assert user.password in {"*", "!"}
        keys = host.file("/home/mina/.ssh/authorized_keys")
        assert keys.content_string.split()[-1] == "mina"
        assert (keys.user, keys.mode) == ("mina", 0o600)
    with host.sudo("mina"):
        assert host.check_output("sudo -n id -u") == "0"


def test_a_former_operator_has_no_account(host: Host) -> None:
    assert not host.user("gone").exists


def test_automation_uses_sudo_without_a_password(host: Host) -> None:
    assert host.check_output("sudo -n id -u") == "0"


def test_time_is_measured_and_the_clock_left_alone(host: Host) -> None:
    assert host.service("chrony").is_running
    assert host.service("chrony").is_enabled
    daemons = host.process.filter(user="_chrony", comm="chronyd")
    assert daemons
    assert all("-x" in daemon.args.split() for daemon in daemons)


def test_the_journal_survives_a_reboot_within_its_limit(host: Host) -> None:
    with host.sudo():
        machine = host.check_output("cat /etc/machine-id")
        assert host.file(f"/var/log/journal/{machine}/system.journal").exists
        limits = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    assert "SystemMaxUse=60M" in limits


def test_security_updates_are_on_and_never_reboot_the_host(host: Host) -> None:
    settings = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in settings


def test_no_unit_has_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
