"""What operators, monitoring and whoever looks around on the host observe. The tests follow each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

    from molecule.conftest import Playbooks
    from molecule.runner.tests.conftest import Service

URL = "https://10.210.254.115:8700"
FOLDER = "/etc/understudy/runner"
CONVERGE = "molecule/runner/converge.yml"
# All of them with the host, or pytest would run those that ask for it first.
pytestmark = pytest.mark.usefixtures("host")


def test_it_is_ready_over_tls_that_the_projects_authority_signed(host: Host, service: Service) -> None:
    assert service.ask("/readyz") == (200, {"ready": True, "problems": []})
    assert host.run(f"curl --silent --fail {URL}/readyz").rc == 60  # whom the system trusts has not signed it


def test_a_wrong_token_is_refused_and_the_right_one_is_not(service: Service) -> None:
    assert service.ask("/jobs", "us_" + "x" * 43)[0] == 401
    assert service.ask("/jobs")[0] == 401
    assert service.ask("/jobs", service.token("alertmanager"))[0] == 403
    assert service.ask("/jobs", service.token("operator"))[0] == 200


def test_the_doctor_finds_nothing(service: Service) -> None:
    checks = json.loads(service.command("doctor --json"))["checks"]
    assert [each["text"] for each in checks if not each["ok"]] == []


def test_a_job_runs_a_playbook_over_ssh_with_its_secret_to_the_end(host: Host, service: Service) -> None:
    told = service.command("submit scale_out wanted_servers=1 --follow --yes")
    with host.sudo():
        assert host.file("/home/ansible/secret").content_string == service.token("small"), told
    assert service.ask("/capacity", service.token("operator"))[1]["ready"] == 1


def test_what_a_run_said_of_its_secret_is_hidden(host: Host, service: Service) -> None:
    with host.sudo():
        said = host.check_output("cat /var/lib/understudy/jobs/*/1/output")
    assert "It is ***." in said
    assert service.token("small") not in said


def test_other_hosts_are_not_believed_without_their_key(host: Host) -> None:
    with host.sudo():
        assert host.check_output(f"cut -d' ' -f1 {FOLDER}/known_hosts") == "10.210.254.115"
        asked = (
            "runuser -u understudy -- ssh -o BatchMode=yes -i /etc/understudy/runner/ssh_key -o IdentitiesOnly=yes "
            "-o UserKnownHostsFile={} ansible@10.210.254.115 true"
        )
        assert host.run(asked.format(f"{FOLDER}/known_hosts")).succeeded
        assert "Host key verification failed" in host.run(f"{asked.format('/dev/null')} 2>&1 || true").stdout


def found_in_files(host: Host) -> str:
    """Return the files with a secret in it that anybody may read. The patterns stay in a file of root's."""
    with host.sudo():
        return str(host.run(
            "find / -xdev -type f -perm -o=r -size -4M -not -path '/proc/*' -exec grep -lFf /root/patterns {} +"
        ).stdout)  # fmt: skip


def test_secrets_are_in_no_file_for_everybody_no_command_line_and_no_journal(host: Host, service: Service) -> None:
    service.command("submit bake_image --yes")
    service.until(lambda: host.file("/home/ansible").exists and _begun(host), "the job runs")
    with host.sudo():
        host.check_output(
            f"install -m 0600 /dev/null /root/patterns && cat {FOLDER}/operator_token {FOLDER}/vault_password "
            "/home/ansible/begun >> /root/patterns && echo >> /root/patterns && "
            f"sed -n 2p {FOLDER}/ssh_key >> /root/patterns && sed -i '/^$/d' /root/patterns"
        )
        assert host.check_output("wc -l < /root/patterns") == "4"
        lines = host.run("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -aFf /root/patterns")
        journal = host.run("journalctl --no-pager | grep -aFf /root/patterns")
        assert "ansible-playbook" in host.check_output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert (lines.rc, lines.stdout, journal.rc, journal.stdout) == (1, "", 1, "")
    assert found_in_files(host) == ""
    with host.sudo():  # the search finds what is there to be found
        host.check_output("cp /root/patterns /srv/planted && chmod 0644 /srv/planted")
        found = found_in_files(host)
        host.check_output("rm /srv/planted")
    assert found.split() == ["/srv/planted"]


def _begun(host: Host) -> bool:
    with host.sudo():
        return bool(host.file("/home/ansible/begun").exists)


def test_a_changed_setting_restarts_it_once_and_what_ran_goes_on(
    host: Host, playbooks: Playbooks, service: Service
) -> None:
    before = service.main_pid()
    code, said = playbooks.run(CONVERGE, "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')
    assert code == 0, said
    after = service.main_pid()
    assert after != before
    code, said = playbooks.run(CONVERGE, "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')
    assert code == 0, said
    assert "changed=0" in said
    assert service.main_pid() == after
    with host.sudo():
        host.check_output("touch /home/ansible/oven && chmod 0644 /home/ansible/oven")
    service.until(lambda: service.states()["bake_image"] == "succeeded", "the job that was interrupted ends well")


def test_an_alert_of_the_other_sites_is_recorded_and_outlives_a_kill(host: Host, service: Service) -> None:
    assert service.deliver("OfTheColo", "f1") == 202
    service.until(lambda: service.verdicts("OfTheColo") == ["not_ours"], "the alert is judged")
    before = service.main_pid()
    with host.sudo():
        host.check_output(f"kill -9 {before}")
    service.until(lambda: service.main_pid() not in {0, before} and service.ready(), "it is back by itself")
    assert service.verdicts("OfTheColo") == ["not_ours"]


def test_an_alert_that_comes_while_nobody_is_there_is_the_senders_to_repeat_and_then_acts(service: Service) -> None:
    assert service.deliver("BookingSlow", "f2") == 202
    service.until(lambda: service.verdicts("BookingSlow") == ["run"], "the alert is judged")
    service.until(lambda: service.states()["scale_out"] == "succeeded", "its job ends well")


def test_tokens_are_declared_and_not_added_by_hand(host: Host) -> None:
    with host.sudo():
        refused = host.run("understudy token add somebody --scope read")
        assert (refused.rc, "declared in the inventory" in refused.stderr) == (2, True)
        assert "alertmanager" in host.check_output("understudy token list")


def test_somebody_else_on_the_host_needs_a_token_and_sees_no_secret(host: Host) -> None:
    refused = host.run("understudy jobs")
    assert refused.rc == 2
    assert host.run(f"ls {FOLDER}").rc != 0
    assert host.run("ls /var/lib/understudy").rc != 0


def test_the_sandbox_is_tight(host: Host) -> None:
    with host.sudo():
        done = host.run("systemd-analyze security --no-pager --threshold=40 understudy-runner.service")
    assert done.succeeded, done.stdout[-300:]
