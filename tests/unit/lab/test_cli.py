from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import cli, status, topology
from lab.faults import Lab
from lab.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(topology.load(), Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r"))


def refused(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments), lab)
    assert caught.value.code == 2
    return " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_an_unknown_site_is_answered_with_the_known_ones(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(lab, capsys, "cut", "colo", "mars") == (
        "There is no site 'mars' in the lab; it has colo, cloud, witness, customers."
    )


def test_a_host_is_no_site_to_cut_off(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no site 'colo-gw1'" in refused(lab, capsys, "cut", "colo-gw1", "cloud")


def test_a_site_cannot_be_cut_off_from_itself(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name two different sites" in refused(lab, capsys, "cut", "colo", "colo")


@pytest.mark.parametrize("command", ["isolate", "power-off", "power-on", "pause", "resume"])
def test_an_unknown_host_is_answered_with_the_known_ones(
    command: str, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refused(lab, capsys, command, "pluto")

    assert "no host or site 'pluto'" in words
    assert "colo-db1" in words


def test_a_negative_delay_is_refused(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--ms" in refused(lab, capsys, "slow", "colo", "cloud", "--ms", "-3")


def test_a_mode_that_the_cloud_does_not_know_is_refused(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "hang" in refused(lab, capsys, "cloud-api", "sleep")


def test_a_missing_site_is_refused(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Missing argument" in refused(lab, capsys, "cut", "colo")


def test_failed_units_are_named_behind_the_state_of_a_host() -> None:
    assert status.summary("degraded", "ssh.service loaded failed failed OpenBSD Secure Shell\n") == (
        "degraded: ssh.service"
    )
    assert status.summary("running", "") == "running"
