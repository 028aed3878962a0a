"""The service as one command: ready when both parts are, drained on SIGTERM, ended when one part dies."""

from __future__ import annotations

import json
import os
import signal
import socket
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from runner import tokens
from tests.integration.runner.installations import Installation, alive, family
from tests.integration.runner.waiting import until
from tests.unit.runner.cli.certificates import pair


def test_an_alert_becomes_a_job_that_is_followed_to_its_success(installation: Installation) -> None:
    service = installation.ready(installation.serve())
    assert installation.post("BookingSlow") == 202
    job = installation.job()
    followed = installation.run("follow", job)
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "Make servers" in followed.stdout
    assert f"job {job}  succeeded" in followed.stdout
    assert "BookingSlow" in installation.run("ledger").stdout
    assert json.loads(installation.run("capacity", "--json").stdout)["ready"] == 2
    assert "scale_out" in installation.run("show", job).stdout
    submitted = installation.run("submit", "scale_out", "wanted_servers=3", "--follow")
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0
    assert "event=drained" in installation.log


def test_a_job_that_fails_is_exit_code_1_for_whoever_follows(installation: Installation) -> None:
    installation.ready(installation.serve())
    for name in ("oven", "burnt"):
        (installation.folder / name).touch()
    followed = installation.run("submit", "bake_image", "--follow")
    assert followed.returncode == 1, followed.stdout + followed.stderr
    assert "failed" in followed.stdout
    assert "Look at the image" in followed.stdout


@pytest.mark.parametrize("name", ["worker", "web"])
def test_when_one_part_is_killed_the_other_is_ended_and_the_service_says_which(
    installation: Installation, name: str
) -> None:
    service = installation.ready(installation.serve())
    everyone = family(service.pid)
    assert len(everyone) >= 3
    os.kill(installation.parts()[name], signal.SIGKILL)
    assert service.wait(30) == 1
    assert f"event=part_died part={name} code=-9 phase=ready" in installation.log
    assert "event=part_killed" not in installation.log  # the other was asked, and had time to end
    until(lambda: not any(map(alive, everyone)), 10, "nothing of it is left")


def test_while_it_drains_alerts_are_taken_and_what_runs_ends(installation: Installation) -> None:
    service = installation.ready(installation.serve())
    assert installation.run("submit", "bake_image").returncode == 0
    until((installation.folder / "begun").exists, 30, "the playbook runs")
    service.send_signal(signal.SIGTERM)
    until(lambda: "event=serve_stopping" in installation.log, 10, "it was heard")
    assert installation.post("BookingSlow") == 202
    assert service.poll() is None
    (installation.folder / "oven").touch()
    assert service.wait(30) == 0
    assert "event=drained" in installation.log
    again = installation.serve()
    until(lambda: installation.log.count("event=serve_ready") == 2, 60, "it is ready again")
    jobs = json.loads(installation.run("jobs", "--json").stdout)["jobs"]
    assert [each["state"] for each in jobs if each["action"] == "bake_image"] == ["succeeded"]
    until(lambda: "scale_out" in {each["action"] for each in installation.jobs()}, 20, "the alert is judged")
    again.terminate()


def _heard(installation: Installation, times: int) -> bool:
    return installation.log.count("event=serve_stopping") == times


def test_a_second_signal_does_not_wait_for_what_runs(installation: Installation) -> None:
    service = installation.ready(installation.serve())
    assert installation.run("submit", "bake_image").returncode == 0
    until((installation.folder / "begun").exists, 30, "the playbook runs")
    for number in (1, 2):
        service.send_signal(signal.SIGTERM)
        until(partial(_heard, installation, number), 10, "it was heard")
    assert service.wait(20) == 1


def test_a_supervisor_that_is_killed_takes_its_parts_along(installation: Installation) -> None:
    service = installation.ready(installation.serve())
    everyone = family(service.pid)
    service.kill()
    service.wait()
    until(lambda: not any(map(alive, everyone)), 30, "its parts ended")


def test_systemd_hears_that_it_is_ready_and_that_it_stops(installation: Installation) -> None:
    path = str(installation.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(60)
        service = installation.serve({"NOTIFY_SOCKET": path})
        assert systemd.recv(200).startswith(b"READY=1\n")
        assert installation.run("brake").returncode == 0
        assert "event=worker_ready" in installation.log
        service.terminate()
        assert systemd.recv(200).startswith(b"STOPPING=1\n")
    assert service.wait(30) == 0


def test_it_speaks_tls_and_the_command_trusts_only_who_it_is_told_to(installation: Installation) -> None:
    certificate, key = pair(installation.folder / "tls", datetime.now(UTC), 60)
    installation.scheme = "https"
    installation.more = {"UNDERSTUDY_TLS_CERTIFICATE": str(certificate), "UNDERSTUDY_TLS_KEY": str(key)}
    installation.ready(installation.serve())
    distrusted = installation.run("brake")
    assert distrusted.returncode == 3
    assert "is not trusted" in distrusted.stderr
    installation.more["UNDERSTUDY_CA_FILE"] = str(certificate)
    trusted = installation.run("brake")
    assert trusted.returncode == 0, trusted.stderr


def refusal(installation: Installation) -> tuple[int, str]:
    service = installation.serve()
    code = service.wait(60)
    assert family(service.pid) == {service.pid}
    return code, installation.log


def test_it_does_not_start_without_tokens(installation: Installation) -> None:
    (installation.folder / "tokens.json").write_text('{"tokens": []}')
    code, log = refusal(installation)
    assert code == 2
    assert "has no token, so nobody could ask anything" in log
    (installation.folder / "tokens.json").unlink()
    code, log = refusal(installation)
    assert code == 2
    assert "there is no such file; make it with `understudy token add NAME --scope alerts`." in log
    made = installation.run("token", "add", "monitoring", "--scope", "alerts")
    assert made.returncode == 0, made.stderr
    assert tokens.load(installation.folder / "tokens.json")[0].name == "monitoring"


def test_it_does_not_start_with_a_broken_policy_file(installation: Installation) -> None:
    (installation.folder / "policies.yml").write_text(POLICY_WITH_A_TYPO)
    code, log = refusal(installation)
    assert code == 2
    assert "policies.yml: policies[0].cooldown is '5x'; expected a duration such as 10m." in log.splitlines()


def test_it_does_not_start_where_something_else_listens(installation: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", installation.port))
        other.listen()
        code, log = refusal(installation)
    assert code == 2
    assert "where nothing can be opened (Address already in use)" in log


def test_figures_of_start_and_memory(installation: Installation) -> None:
    """Print them, and bound only what cannot be an accident of a busy machine.

    The bound is on what the service's own three processes have resident, pages that they share counted in each. The
    preloaded Ansible is printed, not bounded with them: it is Ansible's memory, loaded once before the runs that need
    it instead of by each of them. What the machine really gives up, all of it together, is the proportional size.
    """
    service = installation.ready(installation.serve())
    until(lambda: "event=preload_ready" in installation.log, 60, "Ansible is preloaded")
    own, everyone = installation.own(), family(service.pid)
    assert own == {service.pid, *installation.parts().values()}
    resident = {pid: _kilobytes(pid, "Rss") for pid in everyone}
    proportional = {pid: _kilobytes(pid, "Pss") for pid in everyone}
    print("\nready:", next(word for word in installation.log.split() if word.startswith("seconds=")))
    for name, sizes in (("resident", resident), ("proportional", proportional)):
        total = sum(sizes.values()) / 1024
        print(
            f"{name}: {sum(sizes[pid] for pid in own) / 1024:.0f} MB the service, {total:.0f} MB with Ansible {sizes}"
        )
    assert sum(resident[pid] for pid in own) < 200 * 1024
    assert sum(proportional.values()) < 200 * 1024
    assert proportional[service.pid] < 16 * 1024


def _kilobytes(pid: int, kind: str) -> int:
    """Return what a process holds of memory: `Rss`, or `Pss`, where what several share is divided among them."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith(f"{kind}:")).split()[1])


POLICY_WITH_A_TYPO = """
policies:
  - {name: crowd, match: ['alertname="BookingSlow"'], action: scale_out, step: +2, ceiling: 12, cooldown: 5x}
"""
