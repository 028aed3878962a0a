"""What customers of a server, and the person who releases, can observe. The tests follow each other, as releases do."""

from __future__ import annotations

import json
import threading
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib import request

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

    from molecule.conftest import Patience

URL = "http://10.210.254.66:8080/"
# All of them with the host, or pytest would run those that ask for it first.
pytestmark = pytest.mark.usefixtures("host")
VERBS, CONVERGE = "molecule/booking/operate.yml", "molecule/booking/converge.yml"


def serving() -> dict[str, Any]:
    with request.urlopen(URL, timeout=10) as answer:
        return dict(json.loads(answer.read()))


class Crowd:
    """Customers who ask without pause, each over a new connection. No edge leads them away from here."""

    def __init__(self, patience: type[Patience]) -> None:
        self.failures: list[str] = []
        self.releases: list[str] = []
        self.end = threading.Event()
        self.patiences = [patience() for _ in range(3)]
        self.threads = [threading.Thread(target=self.ask, args=(each,)) for each in self.patiences]

    def ask(self, patience: Patience) -> None:
        while not self.end.wait(0.02):
            try:
                self.releases.append(patience.ask(serving)["release"])
            except (OSError, HTTPException) as failure:
                self.failures.append(str(failure))

    def met(self, restarts: int) -> None:
        """Demand that nobody was refused, and nobody broken off more often than there were restarts."""
        assert self.failures == []
        assert max(each.broken_off for each in self.patiences) <= restarts

    def __enter__(self) -> Crowd:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def run(playbooks: Any) -> Any:
    return playbooks.run


def test_the_first_release_serves_and_was_migrated_with_the_applications_secrets(host: Host) -> None:
    assert serving()["release"] == "1"
    with host.sudo():
        assert host.file("/var/lib/was/migrated-1").user == "was"


def test_a_release_takes_over_without_a_failed_request(host: Host, run: Any, patience: type[Patience]) -> None:
    with Crowd(patience) as crowd:
        code, said = run(CONVERGE, "--extra-vars=booking_version=2")
    assert code == 0, said
    crowd.met(restarts=1)
    assert {"1", "2"} <= set(crowd.releases)
    assert serving()["release"] == "2"
    with host.sudo():
        assert host.file("/var/lib/was/migrated-2").exists


def test_a_release_that_serves_is_left_alone(run: Any) -> None:
    before = serving()["worker"]
    code, said = run(VERBS, "--extra-vars=verb=main booking_version=2")
    assert code == 0, said
    assert "changed=0" in said
    assert serving()["worker"] == before


def test_a_change_that_has_begun_is_pending_until_its_end_and_restarts_nothing(host: Host, run: Any) -> None:
    def pending() -> Any:
        with host.sudo():
            return json.loads(host.check_output("/usr/local/sbin/understudy-was status 2"))["pending"]

    before = serving()["worker"]
    assert pending() == []
    for changes in (1, 0):
        code, said = run(VERBS, "--extra-vars=verb=begin")
        assert code == 0, said
        assert f"changed={changes}" in said
        assert pending() == ["its last change was not seen to its end"]
    code, said = run(CONVERGE, "--extra-vars=booking_version=2")
    assert code == 0, said
    assert serving()["worker"] == before
    for changes in (1, 0):
        code, said = run(VERBS, "--extra-vars=verb=end")
        assert code == 0, said
        assert f"changed={changes}" in said
    assert pending() == []


def test_a_release_that_never_becomes_ready_is_rolled_back(run: Any, patience: type[Patience]) -> None:
    with Crowd(patience) as crowd:
        code, said = run(CONVERGE, "--extra-vars=booking_version=9")
    assert code != 0
    assert "Release 9 did not become ready" in said
    assert "last answer: 503" in said
    assert "2 is back in service and ready" in said
    crowd.met(restarts=2)  # to the release, and back
    assert serving()["release"] == "2"


def test_a_release_that_cannot_migrate_never_serves(run: Any) -> None:
    before = serving()["worker"]
    code, said = run(CONVERGE, "--extra-vars=booking_version=8")
    assert code != 0
    assert "Release 8 could not be prepared, so 2 stays in service" in said
    assert serving() == {"release": "2", "greeting": "welcome", "worker": before}


def test_a_changed_setting_restarts_the_server_with_it(run: Any) -> None:
    change = '--extra-vars={"booking_version": "2", "was_environment": {"SHOP_GREETING": "hello"}}'
    code, said = run(CONVERGE, change)
    assert code == 0, said
    assert serving()["greeting"] == "hello"
    code, said = run(CONVERGE, change)
    assert code == 0, said
    assert said.count("changed=0") == 2, said


def test_a_server_that_was_stopped_is_started(host: Host, run: Any) -> None:
    with host.sudo():
        host.check_output("systemctl stop was.socket was.service")
    code, said = run(VERBS, "--extra-vars=verb=main booking_version=2")
    assert code == 0, said
    assert serving()["release"] == "2"


def test_a_booking_that_is_not_given_back_fails_the_proof(run: Any) -> None:
    code, said = run(CONVERGE, "--extra-vars=booking_version=7")
    assert code != 0
    assert "See that it is cancelled" in said


def test_rollback_returns_to_the_release_before(run: Any) -> None:
    code, said = run(VERBS, "--extra-vars=verb=rollback")
    assert code == 0, said
    assert serving()["release"] == "2"
    code, said = run(VERBS, "--extra-vars=verb=verify")
    assert code == 0, said


def test_check_mode_says_what_would_change_and_changes_nothing(run: Any) -> None:
    code, said = run(CONVERGE, "--check", "--extra-vars=booking_version=1")
    assert code == 0, said
    assert serving()["release"] == "2"


def test_a_release_that_is_not_staged_is_refused(run: Any) -> None:
    code, said = run(VERBS, "--extra-vars=verb=main booking_version=5")
    assert code != 0
    assert "Release 5 is not on this host" in said
    assert "Stage it first" in said


def test_old_releases_go_and_wheels_are_not_left_lying(host: Host) -> None:
    with host.sudo():
        kept = set(host.check_output("ls /srv/was/releases").split())
        assert host.check_output("ls /srv/was/incoming") == ""
    assert {"2", "7"} <= kept
    assert "1" not in kept
