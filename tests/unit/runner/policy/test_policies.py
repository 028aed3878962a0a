"""A policy file is taken whole, or refused with file, key and value."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runner.errors import PolicyError
from runner.model import AlertStatus
from runner.policy.policies import load, spoken_of
from tests.unit.runner.policy.examples import ACTIONS, FILE, alert, policies

INVENTORIES = Path(__file__).resolve().parents[4] / "inventories"
NOTIFICATION = "notifications: [{name: duty, url_file: /etc/u, on: [alarm]}]"


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_inventories_file_is_valid(inventory: str) -> None:
    loaded = load((INVENTORIES / inventory / "policies.yml").read_text(encoding="utf-8"), "policies.yml")
    assert loaded.time_zone == ZoneInfo("Asia/Seoul")
    assert [each.name for each in loaded.policies] == ["crowd", "crowd-left", "burst-server-lost", "colo-lost"]


def test_everything_in_the_file_arrives() -> None:
    loaded = policies(FILE + NOTIFICATION)
    crowd, left, dead, image, lost = loaded.policies
    assert (lost.step, lost.replaces, crowd.replaces) == (0, True, False)
    assert (crowd.step, crowd.floor, crowd.ceiling, crowd.cooldown) == (2, 1, 6, timedelta(minutes=3))
    assert left.quiet == timedelta(minutes=10)
    assert (dead.blocked_for, crowd.blocked_for) == (timedelta(minutes=30), timedelta(0))
    assert (image.on, image.approvals, image.site) == (AlertStatus.RESOLVED, 2, "cloud")
    assert loaded.schedules[0].cron == "30 4 * * *"
    assert loaded.notifications[0].url_file == Path("/etc/u")
    assert loaded.memory() == timedelta(minutes=30)


def test_a_recovery_has_a_block_period_even_when_the_file_is_silent() -> None:
    dead = policies(FILE.replace("    block_period: 30m\n", "")).policies[2]
    assert dead.blocked_for == timedelta(minutes=30)


def test_an_empty_list_of_policies_is_a_valid_file() -> None:
    assert load("policies: []", "policies.yml").policies == ()


def test_the_policies_of_an_alert_are_known_whatever_its_status() -> None:
    assert [each.name for each in spoken_of(alert(status=AlertStatus.RESOLVED), policies())] == ["crowd"]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("cooldown: 3m", "cooldown: 5x", "policies[0].cooldown is '5x'; expected a duration such as 10m."),
        ("cooldown: 3m", "cooldwn: 3m", "policies[0].cooldwn is not a key that is known here; remove it"),
        ("action: scale_out", "action: dance", "policies[0].action is 'dance'; expected an action of the catalogue: "),
        ("floor: 1", "floor: 7", "policies[0].floor is 7; expected no more than the ceiling, 6."),
        ("floor: 1", "floor: '1'", "policies[0].floor is '1'; expected a valid integer."),
        ("ceiling: 6", "ceiling: 201", "policies[0].ceiling is 201; scale_out takes at most 200."),
        ("    ceiling: 6\n", "", "policies[0].ceiling is empty; scale_out needs the most servers"),
        ("step: +2", "step: -2", "policies[0].step is -2; scale_out needs a step of more than 0, such as +2,"),
        ("step: -1", "step: +1", "policies[1].step is 1; scale_in needs a step of less than 0, such as -1."),
        ("step: -1", "step: +0", "policies[1].step is 0; scale_in needs a step of less than 0, such as -1."),
        ("step: +2", "step: ~", "policies[0].step is empty; scale_out needs a step of more than 0, such as +2,"),
        ("step: +2", "step: +2\n    target: x", "policies[0].target is 'x'; leave it out: scale_out has the one"),
        ("step: +2", "step: +2\n    variables: {a: 1}", "policies[0].variables is {'a': 1}; leave it out:"),
        ("target: '{instance}'", "step: 1", "policies[2].step is 1; leave it out: recover_was counts no servers."),
        ("target: '{instance}'", "variables: {gentle: 1}", "recover_was: gentle is 1; expected bool."),
        ("name: crowd-left", "name: crowd", "policies[1].name is 'crowd'; policies[0] has it already."),
        ("name: crowd-left", "name: Crowd left", "policies[1].name is 'Crowd left'; expected a short name"),
        ("match: ['alertname=\"BookingIdle\"']", "match: []", "policies[1].match is []; "),
        ('alertname="BookingIdle"', "BookingIdle", "policies[1].match[0] is 'BookingIdle'; expected a matcher such as"),
        ("page|critical", "page|(", "policies[0].match[1] is 'severity=~\"page|(\"'; expected a regular expression"),
        ("approvals: 2", "approvals: 3", "policies[3].approvals is 3; expected a number less than or equal to 2."),
        ("on: resolved", "on: off", "policies[3].on is 'off'; expected 'firing' or 'resolved'."),
        ("on: resolved", "owner: moon", "policies[3].owner is 'moon'; expected 'colo' or 'cloud'."),
        ("Asia/Seoul", "Mars/Phobos", "time_zone is 'Mars/Phobos'; expected a time zone such as Asia/Seoul."),
        ("30 4 * * *", "30 4 * *", "schedules[0].cron is '30 4 * *'; expected five fields of cron"),
        (
            "approvals: 1}",
            "approvals: 1, variables: {a: b}}",
            "schedules[0].variables is {'a': 'b'}; Action bake_image",
        ),
        ("heartbeat:", "policies:", "line 37: the key 'policies' stands twice; expected YAML."),
        ("time_zone: Asia/Seoul", "- [", "line "),
        ("time_zone: Asia/Seoul", "catalogue: {}", "catalogue is {}; the catalogue stands in runner/actions.py"),
        (NOTIFICATION, "notifications: [{name: duty, url: 'slack://secret'}]", "notifications[0].url_file is missing"),
        ("on: [alarm]", "on: [alarms]", "notifications[0].on[0] is 'alarms'; expected 'job_started', "),
        ("url_file: /etc/u", "url_file: slack://x", "notifications[0].url_file is 'slack://x'; expected the absolute"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_value(before: str, after: str, message: str) -> None:
    text = FILE + NOTIFICATION
    assert before in text
    with pytest.raises(PolicyError) as refused:
        load(text.replace(before, after, 1), "policies.yml", ACTIONS)
    assert str(refused.value).startswith("policies.yml: ")
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["", "- a", "just words", "\x00", "1: 2"])
def test_a_text_that_is_no_policy_file_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"^policies\.yml: "):
        load(text, "policies.yml")


def test_an_address_under_a_wrong_key_is_not_repeated_in_the_message() -> None:
    with pytest.raises(PolicyError) as refused:
        load(NOTIFICATION.replace("url_file: /etc/u", "url_file: /etc/u, url: 'slack://secret'"), "policies.yml")
    assert "notifications[0].url is not a key" in str(refused.value)
    assert "secret" not in str(refused.value)
