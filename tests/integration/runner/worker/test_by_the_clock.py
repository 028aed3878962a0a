"""Schedules, alarms and notifications: each once, whoever asks how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runner.model import Capacity, JobState, Verdict
from runner.policy import calendar
from runner.service import wishes
from runner.service.rules import Rules
from runner.store import capacity, ledger, outbox
from runner.store import heartbeats as heard
from runner.store.engine import Store
from runner.worker import heartbeats, notifications, schedules
from tests.integration.runner.receivers import Receiver
from tests.integration.runner.worker.workers import all_jobs
from tests.unit.runner.policy.examples import FILE, NOW, policies
from tests.unit.runner.service.court import random

DUE = datetime(2026, 11, 25, 19, 30, tzinfo=UTC)  # 04:30 in Seoul, as `nightly` says
MINUTE = timedelta(minutes=1)
RECEIVERS = """
notifications:
  - {name: phone, url_file: %s/phone, on: [alarm]}
  - {name: mail, url_file: %s/mail, on: [alarm, brake]}
"""


@pytest.fixture
def rules() -> Rules:
    return Rules("cloud", policies())


def _fire(store: Store, rules: Rules, now: datetime, since: datetime = DUE - MINUTE) -> int:
    return schedules.fire_due(store, rules, now, since, random)


def test_cron_lines_are_read_in_the_files_time_zone() -> None:
    seoul, new_york = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
    assert schedules.last_moment("30 4 * * *", seoul, DUE) == DUE
    assert schedules.last_moment("30 4 * * *", seoul, DUE - MINUTE) == DUE - timedelta(days=1)
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert schedules.last_moment("0 8 * * *", new_york, summer) == summer
    assert schedules.last_moment("0 8 * * *", new_york, DUE) == datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


def test_a_schedule_fires_once_at_its_moment(store: Store, rules: Rules) -> None:
    assert _fire(store, rules, DUE - timedelta(seconds=1)) == 0
    assert _fire(store, rules, DUE) == 1
    assert _fire(store, rules, DUE + MINUTE) == 0
    [job] = all_jobs(store)
    assert (job.action, job.state, job.requested_by) == ("bake_image", JobState.WAITING, "schedule:nightly")
    with store.read() as connection:
        assert [entry.source for entry in ledger.page(connection)] == ["schedule"]


def test_a_missed_firing_is_made_up_for_within_its_window_only(store: Store, rules: Rules) -> None:
    assert _fire(store, rules, DUE) == 1
    tomorrow = DUE + timedelta(days=1)
    assert _fire(store, rules, tomorrow + schedules.WINDOW + MINUTE, tomorrow + MINUTE) == 0
    assert _fire(store, rules, tomorrow + schedules.WINDOW - MINUTE, tomorrow + MINUTE) == 1


def test_a_new_line_does_not_fire_for_a_time_before_it_was_there(store: Store, rules: Rules) -> None:
    assert _fire(store, rules, DUE + MINUTE, since=DUE + timedelta(seconds=30)) == 0


def test_the_brake_holds_a_schedule_and_the_ledger_says_so(store: Store, rules: Rules) -> None:
    wishes.set_brake(store, on=True, reason="storm", by="lee", rules=rules, now=DUE, random=random)
    assert _fire(store, rules, DUE) == 1
    assert all_jobs(store) == ()
    with store.read() as connection:
        assert [entry.verdict for entry in ledger.page(connection)] == [Verdict.HELD]


def test_each_silence_of_the_heartbeat_raises_one_alarm(store: Store, rules: Rules) -> None:
    assert not heartbeats.check(store, rules, NOW + 2 * MINUTE, NOW)
    assert heartbeats.check(store, rules, NOW + 4 * MINUTE, NOW)
    assert not heartbeats.check(store, rules, NOW + 5 * MINUTE, NOW)
    with store.write() as connection:
        heard.seen(connection, "Watchdog", NOW + 6 * MINUTE)
    assert not heartbeats.check(store, rules, NOW + 8 * MINUTE, NOW)
    assert heartbeats.check(store, rules, NOW + 10 * MINUTE, NOW)
    assert not heartbeats.check(store, rules, NOW + 11 * MINUTE, NOW)


def _evening() -> Rules:
    text = 'time_zone: Asia/Seoul\nceiling: 9\nweek: [{days: [wed], from: "18:00", to: "22:00", load: 6}]\n'
    return Rules("cloud", policies(), calendar.load(text, "calendar.yml"))


@pytest.mark.parametrize(("allowed", "alarms"), [(4, 1), (6, 0), (None, 0)])
def test_a_quota_too_small_for_the_next_busy_hour_raises_the_alarm_hours_before(
    store: Store, allowed: int | None, alarms: int
) -> None:
    known, early = Capacity(0, 0, age_seconds=0, stale=False, allowed=allowed), NOW - timedelta(hours=8)
    with store.write() as connection:
        capacity.put(connection, known, early)
    assert heartbeats.check_readiness(store, _evening(), early) is bool(alarms)
    with store.read() as connection:
        told = [note.body for note in outbox.pending(connection, early + MINUTE)]
    assert [body for body in told if "the cloud's quota lets there be 4. Ask the cloud for more now." in body] == told
    assert len(told) == alarms


def test_the_plan_raises_the_servers_and_warns_when_they_will_be_late(store: Store) -> None:
    rules = _evening()
    assert wishes.follow_plan(store, rules, NOW - timedelta(hours=8), random) is None
    assert wishes.follow_plan(store, rules, NOW, random) is not None  # 17:40, twenty minutes before
    assert wishes.follow_plan(store, rules, NOW, random) is None
    assert [dict(job.variables) for job in all_jobs(store)] == [{"wanted_servers": 6}]
    assert heartbeats.check_readiness(store, rules, NOW)
    assert not heartbeats.check_readiness(store, rules, NOW + MINUTE)


class _Post:
    """Receivers that take what they get, but for those that are told not to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.broken: set[str] = set()

    def __call__(self, url: str, title: str, body: str) -> bool:
        if url in self.broken:
            raise ConnectionError(f"no way to {url}")
        self.sent.append((url, title))
        return True


def _receivers(folder: Path) -> Rules:
    for name in ("phone", "mail"):
        (folder / name).write_text(f"{name}://secret\n")
    return Rules("cloud", policies(FILE + RECEIVERS % (folder, folder)))


def _alarm(store: Store, kind: str = "alarm") -> None:
    with store.write() as connection:
        outbox.add(connection, NOW, kind, kind.title(), "Look.")


def test_a_notification_goes_once_to_each_receiver_that_wants_it(store: Store, tmp_path: Path) -> None:
    rules, post = _receivers(tmp_path), _Post()
    _alarm(store)
    _alarm(store, "brake")
    _alarm(store, "job_started")
    assert notifications.deliver(store, rules, lambda: NOW, post) == 3
    assert post.sent == [("phone://secret", "Alarm"), ("mail://secret", "Alarm"), ("mail://secret", "Brake")]
    assert notifications.deliver(store, rules, lambda: NOW, post) == 0


def test_what_did_not_arrive_is_sent_again_later_to_those_who_miss_it(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules, post = _receivers(tmp_path), _Post()
    post.broken = {"mail://secret"}
    _alarm(store)
    notifications.deliver(store, rules, lambda: NOW, post)
    assert notifications.deliver(store, rules, lambda: NOW + timedelta(seconds=5), post) == 0
    post.broken = set()
    assert notifications.deliver(store, rules, lambda: NOW + timedelta(seconds=11), post) == 1
    assert post.sent == [("phone://secret", "Alarm"), ("mail://secret", "Alarm")]
    assert "secret" not in caplog.text


def test_after_many_tries_it_is_given_up_and_the_log_says_so(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules, post = _receivers(tmp_path), _Post()
    post.broken = {"mail://secret"}
    _alarm(store, "brake")
    tries = [notifications.deliver(store, rules, lambda at=at: NOW + timedelta(hours=2 * at), post) for at in range(20)]  # type: ignore[misc]
    assert sum(tries) == notifications.MOST_ATTEMPTS
    assert "event=notification_lost" in caplog.text


def test_what_a_receiver_refused_stays_in_the_outbox_until_it_takes_it(store: Store, tmp_path: Path) -> None:
    with Receiver().listening() as people:
        (tmp_path / "people").write_text(people.url)
        file = f"notifications: [{{name: people, url_file: {tmp_path}/people, on: [job_failed]}}]"
        rules = Rules("cloud", policies(f"{FILE}\n{file}"))
        with store.write() as connection:
            outbox.add(connection, NOW, "job_failed", "Failed: scale_out", "The quota is exhausted.\nLook.")
        people.status = 503
        notifications.deliver(store, rules, lambda: NOW)
        later = NOW + notifications.FIRST_PAUSE
        with store.write() as connection:
            [kept] = outbox.pending(connection, later)
        assert (kept.attempts, kept.problem, kept.delivered_to) == (1, "people: it was not taken", ())
        people.status = 200
        assert notifications.deliver(store, rules, lambda: later) == 1
        assert notifications.deliver(store, rules, lambda: later + MINUTE) == 0
    assert [(each["title"], each["message"]) for each in people.came] == [
        ("Failed: scale_out", "The quota is exhausted.\nLook.")
    ] * 2


def test_an_address_that_apprise_does_not_know_is_not_taken() -> None:
    assert not notifications.send("nonsense", "Title", "Body")
