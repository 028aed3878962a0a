"""What operator and plan see of a colo that is lost, and back. They follow test_runner_changes.py, and each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

    from molecule.conftest import Playbooks
    from molecule.runner.tests.conftest import Service

OPERATE = "molecule/runner/operate.yml"
ABSENCE = "/etc/understudy/runner/absence.yml"
pytestmark = pytest.mark.usefixtures("host")


def planned(service: Service) -> int:
    return int(json.loads(service.command("plan --hours 1 --json"))["servers"])


def told(playbooks: Playbooks, verb: str) -> str:
    code, said = playbooks.run(OPERATE, f"--extra-vars=verb={verb}")
    assert code == 0, said  # whatever happens: customers buy already
    return said


def test_a_lost_colo_raises_the_plan_and_the_brake_is_said(host: Host, service: Service, playbooks: Playbooks) -> None:
    service.command("brake on --reason 'the test looks'")
    usual = planned(service)
    said = told(playbooks, "stand_in")
    assert f"{usual + 2} burst servers are wanted now" in said
    assert "The brake of the runner is on (the test looks)" in said
    assert f"scale_out.yml -e wanted_servers={usual + 2}" in said
    assert planned(service) == usual + 2
    assert "changed=0" in told(playbooks, "stand_in")
    with host.sudo():
        assert host.file(ABSENCE).mode == 0o640


def test_check_mode_tells_nobody(service: Service, playbooks: Playbooks) -> None:
    before = planned(service)
    code, said = playbooks.run(OPERATE, "--check", "--extra-vars=verb=stand_down")
    assert code == 0, said
    assert planned(service) == before


def test_a_colo_that_is_back_lowers_it_again(service: Service, playbooks: Playbooks) -> None:
    raised = planned(service)
    assert f"{raised - 2} burst servers are wanted now" in told(playbooks, "stand_down")
    assert planned(service) == raised - 2


@pytest.mark.parametrize(("verb", "by_hand"), [("stand_in", "scale_out.yml"), ("stand_down", "scale_in.yml")])
def test_a_runner_that_does_not_answer_fails_nothing_and_the_command_by_hand_is_said(
    host: Host, playbooks: Playbooks, verb: str, by_hand: str
) -> None:
    with host.sudo():
        host.check_output("systemctl stop understudy-runner.service")
    try:
        said = told(playbooks, verb)
    finally:
        with host.sudo():
            host.check_output("systemctl start understudy-runner.service")
    assert "CAPACITY IS AS IT WAS" in said
    assert by_hand in said
