from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lab import keys
from lab.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

NEEDS_KEYGEN = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")


def test_a_host_is_trusted_under_its_name_and_all_its_addresses(paths: Paths) -> None:
    keys.trust(paths, "colo-gw1", ["10.210.1.2", "10.210.101.2"], "ssh-ed25519 AAAA comment\n")

    assert paths.known_hosts.read_text() == "colo-gw1,10.210.1.2,10.210.101.2 ssh-ed25519 AAAA\n"
    assert paths.known_hosts.stat().st_mode & 0o777 == 0o600


def test_a_new_key_replaces_the_old_one_and_leaves_the_others(paths: Paths) -> None:
    keys.trust(paths, "a", ["10.0.0.1"], "ssh-ed25519 OLD")
    keys.trust(paths, "b", ["10.0.0.2"], "ssh-ed25519 BBB")
    keys.trust(paths, "a", ["10.0.0.1"], "ssh-ed25519 NEW")

    assert paths.known_hosts.read_text().splitlines() == [
        "b,10.0.0.2 ssh-ed25519 BBB",
        "a,10.0.0.1 ssh-ed25519 NEW",
    ]


def test_an_address_that_moved_to_another_host_is_no_longer_the_first_ones(paths: Paths) -> None:
    keys.trust(paths, "a", ["10.0.0.1"], "ssh-ed25519 AAA")
    keys.trust(paths, "b", ["10.0.0.1"], "ssh-ed25519 BBB")

    assert paths.known_hosts.read_text() == "b,10.0.0.1 ssh-ed25519 BBB\n"


def test_a_removed_host_is_not_trusted_any_more(paths: Paths) -> None:
    keys.trust(paths, "a", ["10.0.0.1"], "ssh-ed25519 AAA")
    keys.distrust(paths, "a")

    assert paths.known_hosts.read_text() == ""


@NEEDS_KEYGEN
def test_a_hosts_key_stays_the_same(paths: Paths) -> None:
    first, again = keys.host_key(paths, "a"), keys.host_key(paths, "a")

    assert first == again
    assert keys.host_key(paths, "b") != first


@NEEDS_KEYGEN
def test_a_half_written_key_is_made_anew(paths: Paths) -> None:
    keys.host_key(paths, "a")
    (paths.host_keys / "a").unlink()

    private, public = keys.host_key(paths, "a")

    assert "OPENSSH PRIVATE KEY" in private
    assert public.startswith("ssh-ed25519 ")


@NEEDS_KEYGEN
def test_the_operators_key_is_for_the_operator_alone(paths: Paths) -> None:
    assert keys.ensure_operator_key(paths)
    assert not keys.ensure_operator_key(paths)

    assert paths.operator.stat().st_mode & 0o777 == 0o700
    assert paths.operator_key.stat().st_mode & 0o777 == 0o600


@NEEDS_KEYGEN
def test_the_runners_have_a_key_of_their_own_that_stays(paths: Paths) -> None:
    assert keys.ensure_operator_key(paths)
    assert keys.ensure_runner_key(paths)
    before = paths.runner_key.read_text()

    assert not keys.ensure_runner_key(paths)

    assert paths.runner_key.read_text() == before != paths.operator_key.read_text()
    assert paths.runner_key.stat().st_mode & 0o777 == 0o600
