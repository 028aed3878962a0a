"""What a drill demands of the playbooks that it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab import faults, topology
from lab.drills import acting as verbs
from lab.drills import certificate, freezing
from lab.drills.acting import Actor
from lab.drills.playbooks import Played
from lab.drills.rows import step
from lab.errors import LabError
from lab.paths import Paths


class Playbooks:
    """Playbooks that say what a test wants; `plays` is how many they have, `code` how they end."""

    def __init__(self, code: int = 0, said: str = "", plays: int = 3) -> None:
        self.code, self.said, self.plays = code, said, plays
        self.asked: list[list[str]] = []

    def __call__(self, name: str, arguments: Sequence[str], log: Path, *, stop_at_play: int = 0) -> Played:
        self.asked.append([name, *arguments])
        if stop_at_play and stop_at_play <= self.plays:
            return Played(name, -9, self.said, 1.0, stop_at_play, killed=True)
        return Played(name, self.code, self.said, 1.0, self.plays)


def actor(tmp_path: Path, run: Playbooks) -> Actor:
    return Actor(faults.Lab(topology.load(), Paths()), "standby", tmp_path, lambda _: 0.0, run)


def test_a_playbook_gets_the_tier_and_its_words(tmp_path: Path) -> None:
    run = Playbooks()
    acting = actor(tmp_path, run)
    acting.do([step("play", "scale_in", "-e", "wanted_servers=0")])
    assert run.asked == [["scale_in", "-e", "data_tier=standby", "-e", "wanted_servers=0"]]
    assert acting.faults == []


def test_a_playbook_that_fails_is_a_fault_with_its_last_words(tmp_path: Path) -> None:
    acting = actor(tmp_path, Playbooks(2, "TASK [x]\nfatal: [colo-db1]: FAILED! it cannot\n"))
    acting.do([step("play", "take_backup")])
    assert acting.faults == ["take_backup failed with exit code 2: fatal: [colo-db1]: FAILED! it cannot"]


def test_a_refusal_with_its_sentence_is_what_was_demanded(tmp_path: Path) -> None:
    acting = actor(tmp_path, Playbooks(2, "fatal: [localhost]: so it is\n  not lost"))
    acting.do([step("play-refused", "fail_over_to_cloud", "so it is not lost")])
    assert acting.faults == []


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        (0, "so it is not lost", "was to refuse with 'so it is not lost', and succeeded."),
        (2, "no way there", "was to refuse with 'so it is not lost', and said: no way there"),
    ],
)
def test_no_refusal_or_another_one_is_a_fault(tmp_path: Path, code: int, said: str, fault: str) -> None:
    acting = actor(tmp_path, Playbooks(code, said))
    acting.do([step("play-refused", "fail_over_to_cloud", "so it is not lost")])
    assert acting.faults == [f"fail_over_to_cloud {fault}"]


def test_a_playbook_is_killed_after_each_of_its_plays_and_then_finished(tmp_path: Path) -> None:
    run = Playbooks(plays=4)
    acting = actor(tmp_path, run)
    acting.do([step("play-killed", "fail_over_to_cloud")])
    assert [played.plays for played in acting.played if played.killed] == [2, 3, 4]
    assert not acting.played[-1].killed
    assert acting.kept == {"kills": 3}
    assert acting.faults == []


def test_a_killed_playbook_that_cannot_be_finished_is_a_fault(tmp_path: Path) -> None:
    acting = actor(tmp_path, Playbooks(2, "fatal: [cloud-db1]: it stays dark"))
    acting.do([step("play-killed", "fail_over_to_cloud")])
    assert acting.faults == [
        "fail_over_to_cloud, killed and run again, ended with exit code 2: fatal: [cloud-db1]: it stays dark"
    ]


def test_a_step_that_nobody_knows_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="A drill's step is 'explode'; known are power-off"):
        actor(tmp_path, Playbooks()).do([step("explode")])


@pytest.mark.parametrize(
    ("leader", "asked"), [(11, ["move-leader c", "ETCDCTL_ENDPOINTS=https://10.210.103.2:2379"]), (12, [])]
)
def test_the_consensus_is_led_by_the_host_that_will_fall(
    leader: int, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {11: "https://10.210.103.2:2379", 12: "https://10.210.102.2:2379"}
    said: list[str] = []

    def on(_: faults.Lab, host: str, *words: str) -> str:
        said.append(words[-1])
        if "systemctl" in words:
            return ""
        members = ends if "--cluster" in words[-1] else {12: "https://127.0.0.1:2379"}
        statuses = {number: {"header": {"member_id": number}, "leader": leader} for number in members}
        return json.dumps([{"Endpoint": members[number], "Status": status} for number, status in statuses.items()])

    monkeypatch.setattr(verbs, "on", on)
    actor(tmp_path, Playbooks()).do([step("lead-consensus", "cloud-gw1")])

    assert said[0] == "understudy-consensus-lead.timer"  # which would hand the lead on
    moved = [words for words in said if "move-leader" in words]
    assert len(moved) == bool(asked)
    assert all(part in moved[0] for part in asked)


@pytest.mark.parametrize(("found", "faults_"), [(200, 0), (199, 1)])
def test_an_alert_of_the_storm_that_the_ledger_lacks_is_a_fault(
    found: int, faults_: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezing, "in_ledger", lambda *_: found)
    acting = actor(tmp_path, Playbooks())
    acting.kept["storm_cloud-ops1"] = {"alert": "DrillStorm", "alerts": 200, "started": "2026-12-24T18:00:00Z"}
    acting.do([step("ledger-has-storm", "cloud-ops1")])
    assert len(acting.faults) == faults_
    assert acting.kept["ledger_cloud-ops1"] == found


@pytest.mark.parametrize("told", ["", "Customers should see it good."])
def test_a_certificate_that_customers_cannot_trust_is_a_fault(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "wait", lambda *_: told)
    acting = actor(tmp_path, Playbooks())
    acting.do([step("see-certificate", "cloud-gw1")])
    assert acting.faults == ([told] if told else [])
