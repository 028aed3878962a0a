"""New policies and releases take over, and what is wrong never lands. They follow test_runner.py, and each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from testinfra.host import Host

    from molecule.conftest import Playbooks
    from molecule.runner.tests.conftest import Service

FOLDER = "/etc/understudy/runner"
CONVERGE = "molecule/runner/converge.yml"
KEPT = ("--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')  # as test_runner.py left them
pytestmark = pytest.mark.usefixtures("host")


def test_a_changed_policy_file_is_taken_without_a_restart(
    playbooks: Playbooks, service: Service, scratch: Path
) -> None:
    before = service.main_pid()
    policies = scratch / "policies.yml"
    text = (scratch / "tree/inventories/small/policies.yml").read_text()
    policies.write_text(text + "  - {name: new, match: ['alertname=\"New\"'], action: bake_image, owner: colo}\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_policies_file={policies}", *KEPT)
    assert code == 0, said
    assert service.main_pid() == before
    assert service.deliver("New", "f3") == 202
    service.until(lambda: service.verdicts("New") == ["not_ours"], "the new policy decides")
    assert service.verdicts("OfTheColo") == ["not_ours"]


def test_a_broken_policy_file_never_lands(host: Host, playbooks: Playbooks, service: Service, scratch: Path) -> None:
    before, pid = host.run(f"sudo sha256sum {FOLDER}/policies.yml").stdout, service.main_pid()
    policies = scratch / "broken.yml"
    policies.write_text("policies:\n  - {name: crowd, match: ['alertname=\"A\"'], action: no_such_action}\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_policies_file={policies}", *KEPT)
    assert code != 0
    assert "is not valid, and nothing was changed" in said
    assert "no_such_action" in said
    assert host.run(f"sudo sha256sum {FOLDER}/policies.yml").stdout == before
    assert service.main_pid() == pid


def test_a_broken_calendar_never_lands(playbooks: Playbooks, service: Service, scratch: Path) -> None:
    calendar = scratch / "broken-calendar.yml"
    calendar.write_text("ceiling: many\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_calendar_file={calendar}", *KEPT)
    assert code != 0
    assert "The new content of /etc/understudy/runner/calendar.yml is not valid" in said
    assert service.ready()


def test_an_inventory_whose_secrets_lie_open_is_refused_and_never_leaves_the_controller(
    host: Host, playbooks: Playbooks
) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars", '{"runner_vault_encrypted": true}')
    assert code != 0
    assert "vault.yml is not encrypted, so nothing was built" in said
    with host.sudo():
        assert host.run("grep -r this-stays-with-the-operator /srv /etc /var/lib").rc == 1


def test_a_python_that_is_too_old_is_refused(host: Host, playbooks: Playbooks) -> None:
    with host.sudo():
        host.check_output("printf '#!/bin/sh\\necho 3.11\\n' > /usr/local/bin/old && chmod 0755 /usr/local/bin/old")
    code, said = playbooks.run(CONVERGE, "--extra-vars=runner_python=/usr/local/bin/old")
    assert code != 0
    assert "is Python 3.11; the runner needs 3.12 or newer. Use Debian 13" in said


def test_a_service_that_does_not_get_ready_says_why(playbooks: Playbooks, service: Service) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars=runner_port=22")
    assert code != 0
    assert "The runner of mol-runner is not ready" in said
    assert "PROBLEM address" in said
    code, said = playbooks.run(CONVERGE, *KEPT)
    assert code == 0, said
    assert service.ready()


def test_a_new_release_takes_over_and_old_ones_go(
    host: Host, playbooks: Playbooks, service: Service, scratch: Path
) -> None:
    names = []
    for number in range(2):
        (scratch / "tree/playbooks/note.yml").write_text(f"# {number}\n")
        code, said = playbooks.run(CONVERGE, *KEPT)
        assert code == 0, said
        names.append(host.check_output("basename $(readlink /srv/runner/current)"))
        assert service.ready()
    assert len(set(names)) == 2
    assert set(host.check_output("ls /srv/runner/releases").split()) == set(names)
    with host.sudo():
        serving = host.check_output(f"tr '\\0' ' ' < /proc/{service.main_pid()}/cmdline")
        assert f"/srv/runner/releases/{names[1]}/" in serving
        assert host.check_output("ls -A /srv/runner/incoming") == ""
    assert service.verdicts("OfTheColo") == ["not_ours"]


def test_check_mode_says_what_would_change_and_changes_nothing(playbooks: Playbooks, service: Service) -> None:
    before = service.main_pid()
    code, said = playbooks.run(CONVERGE, "--check", "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 20}}')
    assert code == 0, said
    assert "changed=0" not in said
    assert service.main_pid() == before
