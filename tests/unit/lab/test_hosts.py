from __future__ import annotations

import io
import tarfile

from lab import hosts, topology

LAB = topology.load()


def test_a_host_runs_in_the_namespace_that_the_network_made_for_it() -> None:
    spec = hosts.spec(LAB, LAB.host("colo-db1"), "trixie")

    assert spec.namespace == "us-colo-db1"
    assert spec.image == "localhost/understudy-host:trixie"
    assert spec.management == "10.210.255.14"
    assert set(spec.addresses) == {"10.210.1.21", "10.210.255.14"}


def test_a_host_gets_its_own_files_and_nothing_that_others_could_read() -> None:
    spec = hosts.spec(LAB, LAB.host("colo-db1"), "trixie")

    written = hosts._personal_files(spec, ("private", "public"), "key\n")
    with tarfile.open(fileobj=io.BytesIO(written)) as archive:
        members = {member.name: member for member in archive.getmembers()}
        resolver = archive.extractfile("etc/resolv.conf")
        words = resolver.read() if resolver is not None else b""

    assert members["etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert members["home/ansible/.ssh/authorized_keys"].uid == 1000
    assert words == b"nameserver 10.210.255.1\n"


def test_nobody_answers_on_an_address_without_ssh() -> None:
    assert not hosts.answers("127.0.0.254", timeout_seconds=0.2)
