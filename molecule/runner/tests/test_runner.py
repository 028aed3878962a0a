"""What operators, monitoring and whoever looks around on the host observe. The tests follow each other."""

from __future__ import annotations

import json
import os
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib import request
from urllib.error import HTTPError

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host

    from molecule.conftest import Playbooks

SCRATCH = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
URL = "https://10.210.254.115:8700"
FOLDER = "/etc/understudy/runner"
CONVERGE = "molecule/runner/converge.yml"
# All of them with the host, or pytest would run those that ask for it first.
pytestmark = pytest.mark.usefixtures("host")


def token(name: str) -> str:
    return (SCRATCH / "secrets" / name).read_text().strip()


def ask(path: str, bearer: str = "", body: object = None, method: str = "GET") -> tuple[int, Any]:
    """Ask the API from outside, as monitoring does, trusting the project's authority alone."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    data = json.dumps(body).encode() if body is not None else None
    asked = request.Request(f"{URL}{path}", data=data, headers=headers, method=method)  # noqa: S310 - a URL of this file
    try:
        with request.urlopen(  # noqa: S310 - a URL of this file
            asked, timeout=10, context=ssl.create_default_context(cafile=str(SCRATCH / "pki/ca.crt"))
        ) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or "null")


def ready() -> bool:
    try:
        return ask("/readyz")[0] == 200
    except OSError:
        return False


def until(condition: Callable[[], object], what: str, deadline_seconds: float = 60) -> None:
    end = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"
        time.sleep(0.2)


def deliver(alertname: str, fingerprint: str) -> int:
    alert = {
        "status": "firing", "labels": {"alertname": alertname}, "annotations": {}, "fingerprint": fingerprint,
        "startsAt": "2026-11-28T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
    }  # fmt: skip
    return ask("/alerts", token("alertmanager"), {"version": "4", "alerts": [alert]}, "POST")[0]


def main_pid(host: Host) -> int:
    with host.sudo():
        return int(host.check_output("systemctl show --property MainPID --value understudy-runner.service"))


def understudy(host: Host, arguments: str) -> str:
    """Use the command as root, who needs no settings and no token."""
    with host.sudo():
        return str(host.check_output(f"understudy {arguments}"))


def verdicts(host: Host, name: str) -> list[str]:
    found = json.loads(understudy(host, f"ledger --json --name {name}"))
    return [entry["verdict"] for entry in found["lines"]]


def test_it_is_ready_over_tls_that_the_projects_authority_signed(host: Host) -> None:
    assert ask("/readyz") == (200, {"ready": True, "problems": []})
    assert host.run(f"curl --silent --fail {URL}/readyz").rc == 60  # whom the system trusts has not signed it


def test_a_wrong_token_is_refused_and_the_right_one_is_not() -> None:
    assert ask("/jobs", "us_" + "x" * 43)[0] == 401
    assert ask("/jobs")[0] == 401
    assert ask("/jobs", token("alertmanager"))[0] == 403
    assert ask("/jobs", token("operator"))[0] == 200


def test_the_doctor_finds_nothing(host: Host) -> None:
    checks = json.loads(understudy(host, "doctor --json"))["checks"]
    assert [each["text"] for each in checks if not each["ok"]] == []


def test_a_job_runs_a_playbook_over_ssh_with_its_secret_to_the_end(host: Host) -> None:
    told = understudy(host, "submit scale_out wanted_servers=1 --follow --yes")
    with host.sudo():
        assert host.file("/home/ansible/secret").content_string == token("small"), told
    assert ask("/capacity", token("operator"))[1]["ready"] == 1


def test_what_a_run_said_of_its_secret_is_hidden(host: Host) -> None:
    with host.sudo():
        said = host.check_output("cat /var/lib/understudy/jobs/*/1/output")
    assert "It is ***." in said
    assert token("small") not in said


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


def test_secrets_are_in_no_file_for_everybody_no_command_line_and_no_journal(host: Host) -> None:
    understudy(host, "submit bake_image --yes")
    until(lambda: host.file("/home/ansible").exists and _begun(host), "the job runs")
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


def test_a_changed_setting_restarts_it_once_and_what_ran_goes_on(host: Host, playbooks: Playbooks) -> None:
    before = main_pid(host)
    code, said = playbooks.run(CONVERGE, "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')
    assert code == 0, said
    after = main_pid(host)
    assert after != before
    code, said = playbooks.run(CONVERGE, "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')
    assert code == 0, said
    assert "changed=0" in said
    assert main_pid(host) == after
    with host.sudo():
        host.check_output("touch /home/ansible/oven && chmod 0644 /home/ansible/oven")
    until(lambda: _states(host)["bake_image"] == "succeeded", "the job that was interrupted ends well")


def _states(host: Host) -> dict[str, str]:
    return {each["action"]: each["state"] for each in json.loads(understudy(host, "jobs --json"))["jobs"]}


def test_an_alert_of_the_other_sites_is_recorded_and_outlives_a_kill(host: Host) -> None:
    assert deliver("OfTheColo", "f1") == 202
    until(lambda: verdicts(host, "OfTheColo") == ["not_ours"], "the alert is judged")
    before = main_pid(host)
    with host.sudo():
        host.check_output(f"kill -9 {before}")
    until(lambda: main_pid(host) not in {0, before} and ready(), "it is back by itself")
    assert verdicts(host, "OfTheColo") == ["not_ours"]


def test_an_alert_that_comes_while_nobody_is_there_is_the_senders_to_repeat_and_then_acts(host: Host) -> None:
    assert deliver("BookingSlow", "f2") == 202
    until(lambda: verdicts(host, "BookingSlow") == ["run"], "the alert is judged")
    until(lambda: _states(host)["scale_out"] == "succeeded", "its job ends well")


def test_a_changed_policy_file_is_taken_without_a_restart(host: Host, playbooks: Playbooks) -> None:
    before = main_pid(host)
    policies = SCRATCH / "policies.yml"
    text = (SCRATCH / "tree/inventories/small/policies.yml").read_text()
    policies.write_text(text + "  - {name: new, match: ['alertname=\"New\"'], action: bake_image, owner: colo}\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_policies_file={policies}", *KEPT)
    assert code == 0, said
    assert main_pid(host) == before
    assert deliver("New", "f3") == 202
    until(lambda: verdicts(host, "New") == ["not_ours"], "the new policy decides")
    assert verdicts(host, "OfTheColo") == ["not_ours"]


KEPT = ("--extra-vars", '{"runner_settings": {"KEEP_DAYS": 30}}')


def test_a_broken_policy_file_never_lands(host: Host, playbooks: Playbooks) -> None:
    before, pid = host.run(f"sudo sha256sum {FOLDER}/policies.yml").stdout, main_pid(host)
    policies = SCRATCH / "broken.yml"
    policies.write_text("policies:\n  - {name: crowd, match: ['alertname=\"A\"'], action: no_such_action}\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_policies_file={policies}", *KEPT)
    assert code != 0
    assert "is not valid, and nothing was changed" in said
    assert "no_such_action" in said
    assert host.run(f"sudo sha256sum {FOLDER}/policies.yml").stdout == before
    assert main_pid(host) == pid


def test_a_broken_calendar_never_lands(playbooks: Playbooks) -> None:
    calendar = SCRATCH / "broken-calendar.yml"
    calendar.write_text("ceiling: many\n")
    code, said = playbooks.run(CONVERGE, f"--extra-vars=runner_calendar_file={calendar}", *KEPT)
    assert code != 0
    assert "The new content of /etc/understudy/runner/calendar.yml is not valid" in said
    assert ready()


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


def test_a_service_that_does_not_get_ready_says_why(playbooks: Playbooks) -> None:
    code, said = playbooks.run(CONVERGE, "--extra-vars=runner_port=22")
    assert code != 0
    assert "The runner of mol-runner is not ready" in said
    assert "PROBLEM address" in said
    code, said = playbooks.run(CONVERGE, *KEPT)
    assert code == 0, said
    assert ready()


def test_a_new_release_takes_over_and_old_ones_go(host: Host, playbooks: Playbooks) -> None:
    names = []
    for number in range(2):
        (SCRATCH / "tree/playbooks/note.yml").write_text(f"# {number}\n")
        code, said = playbooks.run(CONVERGE, *KEPT)
        assert code == 0, said
        names.append(host.check_output("basename $(readlink /srv/runner/current)"))
        assert ready()
    assert len(set(names)) == 2
    assert set(host.check_output("ls /srv/runner/releases").split()) == set(names)
    with host.sudo():
        serving = host.check_output(f"tr '\\0' ' ' < /proc/{main_pid(host)}/cmdline")
        assert f"/srv/runner/releases/{names[1]}/" in serving
        assert host.check_output("ls -A /srv/runner/incoming") == ""
    assert verdicts(host, "OfTheColo") == ["not_ours"]


def test_check_mode_says_what_would_change_and_changes_nothing(host: Host, playbooks: Playbooks) -> None:
    before = main_pid(host)
    code, said = playbooks.run(CONVERGE, "--check", "--extra-vars", '{"runner_settings": {"KEEP_DAYS": 20}}')
    assert code == 0, said
    assert "changed=0" not in said
    assert main_pid(host) == before


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
