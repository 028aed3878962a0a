"""What peers, customers and services of the hosts can observe of their certificates."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testinfra.host import Host

    from molecule.conftest import Playbooks

TLS = "/etc/understudy/tls"
LEAF = ("-addext", "basicConstraints=critical,CA:FALSE")
CONVERGE = "molecule/certificates/converge.yml"
RESERVE, USE = "molecule/certificates/reserve.yml", "molecule/certificates/use_reserve.yml"


def at(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


@pytest.fixture(scope="module")
def host() -> Host:
    return at("mol-certificates-edge")


def serial(host: Host, name: str) -> str:
    return str(host.check_output(f"openssl x509 -in {TLS}/{name} -noout -serial"))


def wait_until(condition: Callable[[], bool], what: str, deadline_seconds: float = 60) -> None:
    end = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"


def told_expiry(host: Host, name: str) -> str:
    """Return the line with which the metrics tell when a certificate expires, or nothing."""
    metric = f'understudy_certificate_expiry_timestamp_seconds{{file="{name}"}} '
    told = host.run("cat /var/lib/prometheus/node-exporter/understudy_certificates.prom").stdout
    return next((line for line in told.splitlines() if line.startswith(metric)), "")


@pytest.mark.parametrize("name", ["host.crt", "edge.pem"])
def test_a_certificate_is_signed_by_the_authority_that_all_trust(host: Host, name: str) -> None:
    assert "OK" in host.check_output(f"openssl verify -CAfile {TLS}/ca.crt {TLS}/{name}")


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_peers_may_use_it_on_both_ends(host: Host, purpose: str) -> None:
    assert "OK" in host.check_output(f"openssl verify -purpose {purpose} -CAfile {TLS}/ca.crt {TLS}/host.crt")


@pytest.mark.parametrize("name", ["mol-certificates-edge", "localhost"])
def test_it_is_valid_for_the_names_of_the_host_and_no_others(host: Host, name: str) -> None:
    check = f"openssl x509 -in {TLS}/host.crt -noout -checkhost"
    assert "does match" in host.check_output(f"{check} {name}")
    assert "does NOT match" in host.run(f"{check} tickets.example.test").stdout


def test_it_is_valid_for_the_address_of_the_host(host: Host) -> None:
    told = host.check_output(f"openssl x509 -in {TLS}/host.crt -noout -checkip 10.210.254.100")
    assert "does match" in told


def test_customers_meet_the_name_they_asked_for(host: Host) -> None:
    told = host.check_output(f"openssl x509 -in {TLS}/edge.pem -noout -checkhost tickets.example.test")
    assert "does match" in told


@pytest.mark.parametrize("name", ["host.key", "edge.pem"])
def test_only_members_of_the_group_read_a_key(host: Host, name: str) -> None:
    file = host.file(f"{TLS}/{name}")
    assert (file.user, file.group, file.mode) == ("root", "understudy-tls", 0o640)
    assert host.run(f"runuser -u nobody -- cat {TLS}/{name}").rc != 0


@pytest.mark.parametrize("name", ["ca.crt", "host.crt", "edge.pem"])
def test_the_metrics_tell_when_each_certificate_expires(host: Host, name: str) -> None:
    wait_until(lambda: told_expiry(host, name) != "", f"the metrics tell of {name}")


def test_a_host_that_serves_nobody_trusts_the_authority_and_has_no_key() -> None:
    was = at("mol-certificates-was")
    assert was.file(f"{TLS}/ca.crt").exists
    assert not was.file(f"{TLS}/host.key").exists


def test_a_certificate_about_to_expire_is_made_anew_with_the_same_key(host: Host, playbooks: Playbooks) -> None:
    before, key = serial(host, "host.crt"), host.file(f"{TLS}/host.key").sha256sum
    expiry = told_expiry(host, "host.crt")
    code, told = playbooks.run(CONVERGE, "-e", "certificates_renew_days=398")
    assert code == 0, told
    assert serial(host, "host.crt") != before
    assert host.file(f"{TLS}/host.key").sha256sum == key
    wait_until(lambda: told_expiry(host, "host.crt") not in {"", expiry}, "the metrics tell when the new one expires")


def test_a_new_name_gets_a_new_certificate(host: Host, playbooks: Playbooks) -> None:
    names = '{"certificates_public_names": ["tickets.example.test", "www.example.test"]}'
    code, told = playbooks.run(CONVERGE, "--limit", "edge", "-e", names)
    assert code == 0, told
    told = host.check_output(f"openssl x509 -in {TLS}/edge.pem -noout -checkhost www.example.test")
    assert "does match" in told


def chain_of_a_public_authority(folder: Path) -> tuple[str, str]:
    """Make what a customer of a public authority has: a chain for the edge's name, and its key."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name, words in (
        ("authority", ["-subj", "/CN=A public authority", "-addext", "keyUsage=critical,keyCertSign"]),
        ("edge", ["-subj", "/CN=tickets.example.test", "-addext", "subjectAltName=DNS:tickets.example.test", *LEAF]),
    ):
        signer = [] if name == "authority" else ["-CA", "authority.pem", "-CAkey", "authority.key"]
        command = ["openssl", "req", "-x509", *curve, "-days", "90", *words, *signer]
        subprocess.run([*command, "-keyout", f"{name}.key", "-out", f"{name}.pem"], cwd=folder, check=True)
    chain = "\n".join((folder / f"{name}.pem").read_text().strip() for name in ("edge", "authority"))
    return chain, (folder / "edge.key").read_text().strip()


def test_an_edge_takes_the_chain_and_the_key_of_a_public_authority(
    host: Host, playbooks: Playbooks, tmp_path: Path
) -> None:
    own, expiry = serial(host, "edge.pem"), told_expiry(host, "edge.pem")
    chain, key = chain_of_a_public_authority(tmp_path)
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"certificates_public_chain": chain, "certificates_public_key": key}))
    given_words = ("--limit", "edge", "--diff", "-e", f"@{given}")

    code, told = playbooks.run(CONVERGE, *given_words)
    assert code == 0, told
    file = host.file(f"{TLS}/edge.pem")
    assert file.content_string == f"{key}\n{chain}\n"
    assert (file.user, file.group, file.mode) == ("root", "understudy-tls", 0o640)
    assert "PRIVATE KEY" not in told
    assert serial(host, "edge.pem") != own
    assert host.run(f"openssl verify -CAfile {TLS}/ca.crt {TLS}/edge.pem").failed
    wait_until(lambda: told_expiry(host, "edge.pem") not in {"", expiry}, "the metrics tell when the new one expires")

    code, told = playbooks.run(CONVERGE, *given_words)
    assert code == 0, told
    assert "changed=0" in told
    assert "PRIVATE KEY" not in told

    code, told = playbooks.run(CONVERGE, "--limit", "edge")
    assert code == 0, told
    assert "OK" in host.check_output(f"openssl verify -CAfile {TLS}/ca.crt {TLS}/edge.pem")


def test_the_preflight_refuses_a_certificate_that_expires_soon(playbooks: Playbooks) -> None:
    days = '{"preflight_certificates_days": 400, "certificates_renew_days": 1}'
    code, told = playbooks.run(CONVERGE, "--limit", "edge", "-e", days)
    assert code != 0
    assert "in less than 400 days" in told
    assert "playbooks/control.yml --limit mol-certificates-edge" in told


def test_a_certificate_made_beforehand_serves_where_nobody_can_sign(host: Host, playbooks: Playbooks) -> None:
    for playbook in (RESERVE, USE):
        code, told = playbooks.run(playbook)
        assert code == 0, told
        assert "PRIVATE KEY" not in told
    was = at("mol-certificates-was")
    assert "OK" in was.check_output(f"openssl verify -CAfile {TLS}/ca.crt {TLS}/host.crt")
    assert "does match" in was.check_output(f"openssl x509 -in {TLS}/host.crt -noout -checkip 10.210.254.101")
    of_key, of_certificate = (
        was.check_output(command)
        for command in (f"openssl pkey -in {TLS}/host.key -pubout", f"openssl x509 -in {TLS}/host.crt -noout -pubkey")
    )
    assert of_key == of_certificate
    assert was.file(f"{TLS}/host.key").mode == 0o640
    for name in ("identity", "mol-certificates-was.age"):
        assert host.file(f"{TLS}/reserve/{name}").mode == 0o600
    assert host.run(f"grep -rqs 'PRIVATE KEY' {TLS}/reserve").failed


def test_it_is_made_once_and_made_anew_when_it_no_longer_opens(host: Host, playbooks: Playbooks) -> None:
    before = serial(host, "reserve/mol-certificates-was.crt")
    code, told = playbooks.run(RESERVE)
    assert code == 0, told
    assert serial(host, "reserve/mol-certificates-was.crt") == before
    host.check_output(f"rm {TLS}/reserve/identity")
    code, told = playbooks.run(USE)
    assert code != 0
    assert f"{TLS}/reserve/identity does not exist: it was taken away" in " ".join(told.split())
    code, told = playbooks.run(RESERVE)
    assert code == 0, told
    assert serial(host, "reserve/mol-certificates-was.crt") != before


def test_one_that_does_not_fit_is_refused_with_what_to_do(playbooks: Playbooks) -> None:
    code, told = playbooks.run(USE, "-e", '{"further_names": ["elsewhere.example.test"]}')
    assert code != 0
    words = " ".join(told.split())
    assert "The certificate that was made beforehand for mol-certificates-was does not fit" in words
    assert "playbooks/control.yml --tags certificates as an operator" in words
