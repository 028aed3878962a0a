"""Alerts, jobs, situations and policies for the tests of decisions."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.actions import CATALOGUE, Action, Variable
from runner.model import Alert, AlertStatus, Capacity, Job, JobState
from runner.policy.policies import Policies, load
from runner.policy.situation import Situation

NOW = datetime(2026, 11, 25, 8, 40, tzinfo=UTC)  # 17:40 in Seoul
RECOVER = Action(
    name="recover_was",
    playbook="recover_was",
    about="Restart a WAS that does not answer.",
    owner="cloud",
    lock="was",
    time_limit_seconds=300,
    repeatable=True,
    recovery=True,
    variables={"gentle": Variable(bool, "drain first")},
)
ACTIONS = {**CATALOGUE, "recover_was": RECOVER}
FILE = """
time_zone: Asia/Seoul
policies:
  - name: crowd
    match: ['alertname="BookingSlow"', 'severity=~"page|critical"']
    action: scale_out
    step: +2
    floor: 1
    ceiling: 6
    cooldown: 3m
  - name: crowd-left
    match: ['alertname="BookingIdle"']
    action: scale_in
    step: -1
    floor: 1
    ceiling: 6
    cooldown: 3m
    quiet: 10m
  - name: was-dead
    match: ['alertname="WasDead"']
    action: recover_was
    target: '{instance}'
    block_period: 30m
  - name: image
    match: ['alertname="NewRelease"']
    action: bake_image
    on: resolved
    approvals: 2
  - name: burst-lost
    match: ['alertname="BurstServerDown"']
    action: scale_out
    step: +0
    ceiling: 6
    cooldown: 30s
schedules:
  - {name: nightly, cron: 30 4 * * *, action: bake_image, approvals: 1}
heartbeat: {alertname: Watchdog, silent_after: 3m}
"""


def policies(text: str = FILE) -> Policies:
    return load(text, "policies.yml", ACTIONS)


def alert(name: str = "BookingSlow", status: AlertStatus = AlertStatus.FIRING, **labels: str) -> Alert:
    found = {"alertname": name, "severity": "page", **labels}
    return Alert("f1", status, found, {}, NOW - timedelta(seconds=30), None, "alertmanager")


def capacity(wanted: int = 3, **changes: Any) -> Capacity:
    return dataclasses.replace(Capacity(wanted=wanted, ready=wanted, age_seconds=2.0, stale=False), **changes)


def situation(**changes: Any) -> Situation:
    return dataclasses.replace(Situation(NOW, "cloud", capacity=capacity()), **changes)


def job(action: str = "scale_out", state: JobState = JobState.RUNNING, **changes: Any) -> Job:
    made = Job(
        id=f"job-{action}",
        action=action,
        target=ACTIONS[action].lock,
        variables={},
        state=state,
        reason="because",
        requested_by="policy:crowd",
        created_at=NOW - timedelta(minutes=2),
        started_at=NOW - timedelta(minutes=2),
    )
    return dataclasses.replace(made, **changes)


def ended(action: str = "scale_out", seconds_ago: float = 70, **changes: Any) -> Job:
    return job(action, JobState.SUCCEEDED, ended_at=NOW - timedelta(seconds=seconds_ago), **changes)
