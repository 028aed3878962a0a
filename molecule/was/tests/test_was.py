"""What whoever asks the server, and whoever looks around on its host, can observe."""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib import request

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

    from molecule.conftest import Patience

ADDRESSES = {"mol-was-asgi": "10.210.254.60", "mol-was-wsgi": "10.210.254.61"}
RESTARTS = 2
# As systemd tells them: the one host has settings of its own (group_vars/asgi.yml), the other has the role's defaults.
LIMITS = {
    "mol-was-asgi": {
        "MemoryMax": str(300 * 2**20), "TasksMax": "200", "CPUQuotaPerSecUSec": "1.500000s", "TimeoutStopUSec": "12s",
    },
    "mol-was-wsgi": {
        "MemoryMax": str(2**30), "TasksMax": "512", "CPUQuotaPerSecUSec": "infinity", "TimeoutStopUSec": "15s",
    },
}  # fmt: skip


@pytest.fixture
def url(host: Host) -> str:
    return f"http://{ADDRESSES[host.check_output('hostname')]}:8080"


def ask(url: str, **headers: str) -> str:
    with request.urlopen(request.Request(url, headers=headers), timeout=120) as answer:  # noqa: S310 - a URL of this file
        return str(answer.read().decode())


def test_the_application_answers(url: str) -> None:
    assert json.loads(ask(f"{url}/get?seat=A1"))["args"] == {"seat": "A1"}


def test_it_runs_without_privileges_and_listens_where_declared_only(host: Host) -> None:
    assert {process.user for process in host.process.filter(comm="gunicorn")} <= {"was"}
    with host.sudo():
        listening = host.check_output("ss --no-header --listening --tcp --numeric --processes")
    ports = {line.split()[3].rsplit(":", 1)[1] for line in listening.splitlines() if "gunicorn" in line}
    assert ports == {"8080"}


def test_the_sandbox_is_tight(host: Host) -> None:
    with host.sudo():
        done = host.run("systemd-analyze security --no-pager --threshold=40 was.service")
    assert done.succeeded, done.stdout[-300:]


def test_it_takes_no_more_of_the_host_than_it_was_given(host: Host) -> None:
    limits = LIMITS[host.check_output("hostname")] | {"LimitNOFILE": "16384", "LimitNOFILESoft": "16384"}
    told = host.check_output(f"systemctl show --property {','.join(limits)} was.service")
    assert dict(line.split("=", 1) for line in told.splitlines()) == limits


class Customer(threading.Thread):
    """Asks one thing after the other."""

    def __init__(self, url: str, end: threading.Event, patience: Patience) -> None:
        super().__init__()
        self.url, self.end, self.patience = url, end, patience
        self.answered = 0
        self.failed: list[Exception] = []

    def run(self) -> None:
        while not self.end.is_set():
            try:
                self.patience.ask(lambda: ask(f"{self.url}/get"))
                self.answered += 1
            except (OSError, HTTPException) as failure:
                self.failed.append(failure)


def test_a_restart_refuses_no_connection_and_breaks_off_what_was_in_flight_at_most(
    host: Host, url: str, patience: type[Patience]
) -> None:
    end = threading.Event()
    crowd = [Customer(url, end, patience()) for _ in range(4)]
    for customer in crowd:
        customer.start()
    with host.sudo():
        for _ in range(RESTARTS):
            host.check_output("systemctl restart was.service")
    before = sum(customer.answered for customer in crowd)
    deadline = time.monotonic() + 120
    while sum(customer.answered for customer in crowd) < before + 20 and time.monotonic() < deadline:
        end.wait(0.05)
    end.set()
    for customer in crowd:
        customer.join()
    assert [failure for customer in crowd for failure in customer.failed] == []
    assert sum(customer.answered for customer in crowd) >= before + 20
    assert all(customer.patience.broken_off <= RESTARTS for customer in crowd)


def test_it_comes_up_at_boot(host: Host) -> None:
    assert host.service("was.service").is_enabled
    assert host.service("was.socket").is_enabled


def test_a_crash_is_mended(host: Host, url: str) -> None:
    with host.sudo():
        main = host.check_output("systemctl show --property MainPID --value was.service")
        host.check_output(f"kill -KILL {main}")
        # A request that the killed process was answering is lost with it; after this it is another one.
        host.check_output(
            "timeout 60 sh -c 'until systemctl is-active --quiet was.service && "
            f"[ $(systemctl show --property MainPID --value was.service) != {main} ]; do sleep 0.2; done'"
        )
    assert ask(f"{url}/get")


def test_settings_arrive_as_they_were_written_and_secrets_as_files(host: Host) -> None:
    if host.check_output("hostname") != "mol-was-asgi":
        pytest.skip("the other host has neither")
    with host.sudo():
        main = host.check_output("systemctl show --property MainPID --value was.service")
        seen = dict(
            line.split("=", 1) for line in host.check_output(f"tr '\\0' '\\n' < /proc/{main}/environ").splitlines()
        )
        assert seen["GREETING"] == 'say "hello", \\ and $HOME'
        assert seen["API_TOKEN_FILE"].endswith("/API_TOKEN")
        with host.sudo("was"):
            assert host.check_output(f"cat {seen['API_TOKEN_FILE']}") == "correct-horse-battery"
        with host.sudo("nobody"):
            assert host.run(f"cat {seen['API_TOKEN_FILE']}").failed
        assert "correct-horse" not in str(seen) + host.check_output("systemctl show was.service")
        secret = host.file("/etc/understudy/was/secrets/API_TOKEN")
        assert (secret.user, secret.group, secret.mode) == ("root", "was", 0o640)


def test_stopped_stays_stopped_until_it_is_started(host: Host, url: str, playbooks: object) -> None:
    run = playbooks.run  # type: ignore[attr-defined]  # the fixture's class lives in the conftest
    limit = f"--limit={host.check_output('hostname')}"
    code, said = run("molecule/was/operate.yml", limit, "--extra-vars=verb=stop")
    assert code == 0, said
    with pytest.raises(OSError, match="refused"):
        ask(f"{url}/get")
    code, said = run("molecule/was/operate.yml", limit, "--extra-vars=verb=start")
    assert code == 0, said
    assert ask(f"{url}/get")


def test_no_unit_has_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
