from __future__ import annotations

import dataclasses

import pytest

from lab import machine
from lab.errors import LabError
from lab.machine import Machine
from lab.paths import Paths

GOOD = Machine(
    distribution="debian",
    version="12",
    codename="bookworm",
    architecture="x86_64",
    is_root=True,
    may_become_root=True,
    memory_available_mib=8192,
    disk_free_mib={"/var/lib/understudy/lab": 20_000, "/var/cache/understudy/lab": 20_000},
    init="systemd",
    cgroup="unified",
    open_files_limit=1_048_576,
    processes_limit=32_768,
    may_raise_limits=True,
    has_kernel_wireguard=True,
    has_tun=True,
    has_loop=True,
    has_overlay=True,
    container=None,
    has_lab=False,
)


def only_sentence(**changes: object) -> str:
    sentences = machine.check(dataclasses.replace(GOOD, **changes))  # type: ignore[arg-type]  # each test's own
    assert len(sentences) == 1, sentences
    return sentences[0]


def test_a_standard_debian_12_machine_is_let_through() -> None:
    assert machine.check(GOOD) == []


def test_a_machine_without_systemd_and_with_hybrid_control_groups_is_let_through() -> None:
    other = dataclasses.replace(GOOD, init="sh", cgroup="hybrid", may_raise_limits=False, container="docker")

    assert machine.check(other) == []


def test_another_distribution_is_refused_with_its_name_and_the_reason() -> None:
    sentence = only_sentence(distribution="ubuntu", version="24.04")

    assert "runs ubuntu 24.04" in sentence
    assert "needs a machine with Debian 12" in sentence


def test_another_debian_is_refused() -> None:
    assert "runs debian 13" in only_sentence(version="13")


def test_an_unknown_architecture_is_refused() -> None:
    assert "architecture is riscv64" in only_sentence(architecture="riscv64")


def test_nobody_who_cannot_become_root_is_let_through() -> None:
    assert "neither root nor allowed to use sudo" in only_sentence(is_root=False, may_become_root=False)


def test_sudo_without_a_password_is_enough() -> None:
    assert machine.check(dataclasses.replace(GOOD, is_root=False)) == []


def test_too_little_memory_is_refused_with_both_numbers() -> None:
    assert only_sentence(memory_available_mib=6143).startswith(
        "6143 MiB of memory are free and the lab needs 6144 MiB free"
    )


def test_exactly_enough_memory_is_let_through() -> None:
    assert machine.check(dataclasses.replace(GOOD, memory_available_mib=6144)) == []


def test_too_little_disk_is_refused_with_the_place() -> None:
    sentence = only_sentence(disk_free_mib={"/var/lib/understudy/lab": 20_000, "/var/cache/understudy/lab": 9_000})

    assert "9000 MiB of disk are free where /var/cache/understudy/lab lives" in sentence


def test_a_lab_that_is_there_already_may_hold_the_memory_and_disk_that_it_needs() -> None:
    inside = dataclasses.replace(GOOD, has_lab=True, memory_available_mib=100, disk_free_mib={"/var": 1})

    assert machine.check(inside) == []


@pytest.mark.parametrize(
    ("fact", "missing"),
    [("has_tun", "/dev/net/tun"), ("has_loop", "/dev/loop-control"), ("has_overlay", "overlay file system")],
)
def test_what_the_kernel_does_not_offer_is_named_with_the_module_to_load(fact: str, missing: str) -> None:
    sentence = only_sentence(**{fact: False})

    assert missing in sentence
    assert "modprobe" in sentence


def test_every_missing_thing_is_told_at_once() -> None:
    bare = dataclasses.replace(GOOD, version="13", memory_available_mib=1, has_tun=False)

    with pytest.raises(LabError) as caught:
        machine.require(bare)

    assert len(str(caught.value).splitlines()) == 3


def test_this_machine_is_looked_at_without_leaving_a_trace(tmp_path: object) -> None:
    paths = Paths(state=Paths().state.parent / "absent" / "state")

    found = machine.detect(paths)

    assert found.cgroup in {"unified", "hybrid", "legacy"}
    assert found.disk_free_mib[str(paths.state)] > 0
    assert not paths.state.exists()
