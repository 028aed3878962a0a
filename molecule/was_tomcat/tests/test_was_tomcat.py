"""What whoever asks Tomcat, and whoever looks around on its host, can observe."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib import error, request

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

URL = "http://10.210.254.63:8080"
# As systemd tells them; memory and tasks are the scenario's (group_vars), the others the role's.
LIMITS = {
    "MemoryMax": str(512 * 2**20), "TasksMax": "300", "CPUQuotaPerSecUSec": "infinity", "TimeoutStopUSec": "15s",
    "LimitNOFILE": "16384",
}  # fmt: skip


def ask(path: str) -> str:
    with request.urlopen(URL + path, timeout=20) as answer:  # noqa: S310 - a URL of this file
        return str(answer.read().decode())


def test_a_servlet_of_the_war_answers() -> None:
    assert "Hello World" in ask("/examples/servlets/servlet/HelloWorldExample")


def test_a_page_is_compiled_and_answers() -> None:
    assert "guess" in ask("/examples/jsp/num/numguess.jsp").lower()


def test_errors_tell_nothing_about_the_server() -> None:
    with pytest.raises(error.HTTPError) as refused:
        ask("/nothing-here")
    said = refused.value.read().decode() + str(refused.value.headers)
    assert refused.value.code == 404
    assert "Tomcat" not in said


def test_it_runs_without_privileges_and_debians_own_is_off(host: Host) -> None:
    assert {process.user for process in host.process.filter(comm="java")} == {"was"}
    assert len(host.process.filter(comm="java")) == 1
    assert host.service("tomcat10.service").is_masked


def test_the_sandbox_is_tight(host: Host) -> None:
    with host.sudo():
        done = host.run("systemd-analyze security --no-pager --threshold=40 was.service")
    assert done.succeeded, done.stdout[-300:]


def test_it_takes_no_more_of_the_host_than_it_was_given(host: Host) -> None:
    told = host.check_output(f"systemctl show --property {','.join(LIMITS)} was.service")
    assert dict(line.split("=", 1) for line in told.splitlines()) == LIMITS


def test_it_comes_up_at_boot_and_stops_in_good_order(host: Host) -> None:
    assert host.service("was.service").is_enabled
    with host.sudo():
        host.check_output("systemctl stop was.service")
        assert host.check_output("systemctl show --property Result --value was.service") == "success"
        host.check_output("systemctl start was.service")


def test_no_unit_has_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
