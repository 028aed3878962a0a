from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions as openstack_exceptions

from lab import cloud_content, cloud_gate, cloud_supervisor
from lab.errors import LabError

LONG_PAST = 0.0
FAR = float("inf")
CONFIGURATION = """
[DEFAULT]
transport_url = rabbit://cloud:x@127.0.0.1:5672/
[service_user]
auth_url = http://127.0.0.1:5000/v3
username = nova
password = p%ss
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


def answered(status: int) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    return response


def answers(*values: object) -> object:
    remaining = list(values)

    def attempt() -> object:
        value = remaining.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    return attempt


def test_an_api_that_is_not_there_yet_is_asked_again() -> None:
    attempt = answers(keystone_exceptions.ConnectFailure("refused"), None, False, ["made"])

    assert cloud_content.wait_for("Nova", attempt, FAR) == ["made"]  # type: ignore[arg-type]


def test_an_empty_list_is_an_answer() -> None:
    assert cloud_content.wait_for("Nova", list, FAR) == []


def test_a_service_behind_the_proxy_that_still_starts_is_asked_again() -> None:
    attempt = answers(openstack_exceptions.HttpException("starting", answered(503)), "made")

    assert cloud_content.wait_for("Nova", attempt, FAR) == "made"  # type: ignore[arg-type]


def test_a_request_that_is_wrong_is_an_error_at_once() -> None:
    attempt = answers(openstack_exceptions.BadRequestException("no such physical network", answered(400)))

    with pytest.raises(LabError, match=r"Waited for Neutron, and the answer was: .*no such physical network"):
        cloud_content.wait_for("Neutron", attempt, FAR)  # type: ignore[arg-type]


def test_the_deadline_names_what_was_waited_for_the_last_answer_and_what_does_not_run() -> None:
    attempt = answers(keystone_exceptions.ConnectFailure("refused"))

    with pytest.raises(LabError, match=r"in vain for Glance; the last answer was: refused; .*: glance \(FATAL\)"):
        cloud_content.wait_for("Glance", attempt, LONG_PAST, lambda: ["glance (FATAL)"])  # type: ignore[arg-type]


def test_the_gate_logs_in_as_the_service_that_waits() -> None:
    request = cloud_gate.login_request(CONFIGURATION)

    assert request.full_url == "http://127.0.0.1:5000/v3/auth/tokens"
    assert isinstance(request.data, bytes)
    identity = json.loads(request.data)["auth"]["identity"]
    assert identity["password"]["user"] == {"name": "nova", "password": "p%ss", "domain": {"name": "Default"}}


def test_a_gate_without_a_condition_is_open() -> None:
    cloud_gate.wait_for("-")


def test_a_supervisor_that_is_not_there_is_silent_and_never_empty(tmp_path: Path) -> None:
    socket = tmp_path / "supervisor.sock"

    assert not cloud_supervisor.answers(socket)
    assert cloud_supervisor.troubled(socket) == ["all of them (the supervisor is silent)"]
    with pytest.raises(LabError, match=r"does not answer on .*supervisor.sock"):
        cloud_supervisor.states(socket)
