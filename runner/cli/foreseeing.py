"""Judge saved alerts without doing anything: alone, or in the situation that this machine's store is in."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner import payloads, settings
from runner.cli import output
from runner.errors import InvalidRequest, StoreUnavailable
from runner.model import Alert, Capacity, Decision
from runner.policy import calendar as calendars
from runner.policy.decide import decide
from runner.policy.situation import Situation
from runner.service.rules import RulesFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runner.cli.session import Surroundings
    from runner.model import Site
    from runner.service.rules import Rules

type Foreseen = Sequence[tuple[Alert, Decision]]


def alerts(body: bytes, now: datetime) -> tuple[Alert, ...]:
    """Return the alerts of a delivery, or the one alert that stands alone. Raises InvalidRequest.

    An alert that stands alone may leave out what senders add: it fires, since now.
    """
    try:
        held = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The alert is not JSON ({error}); save what Alertmanager or Grafana sends.") from error
    if isinstance(held, dict) and "alerts" in held:
        return payloads.deliveries(body)
    if not isinstance(held, dict) or not isinstance(held.get("labels"), dict):
        raise InvalidRequest("There is neither `alerts` nor `labels` in it; save a delivery or one alert.")
    alone = {"status": "firing", "startsAt": now.isoformat(), "fingerprint": "saved"} | held
    return payloads.deliveries(json.dumps({"version": "4", "alerts": [alone]}).encode())


def alone(
    around: Surroundings, body: bytes, policies: Path, calendar: Path | None, *, site: Site, servers: int | None
) -> Foreseen:
    """Judge each alert while nothing else goes on. `servers`: so many are ready; None: nobody ever listed them."""
    now = around.clock()
    rules = RulesFiles(site, policies, calendar).current()
    known = None if servers is None else Capacity(wanted=servers, ready=servers, age_seconds=0, stale=False)
    situation = Situation(now, site, capacity=known, planned_servers=_planned(rules, now, servers or 0))
    return [(each, decide(each, situation, rules.policies)) for each in alerts(body, now)]


def live(around: Surroundings, body: bytes) -> Foreseen:
    """Judge each alert in the situation of this machine's store. Raises StoreUnavailable, SettingsError."""
    from runner.service import judge  # noqa: PLC0415 - the store takes most of a second to load
    from runner.store.engine import open_store  # noqa: PLC0415 - as above

    now, found = around.clock(), settings.load(around.environment)
    files = RulesFiles(found.site, found.policies_file, found.calendar_file, absence_file=found.absence_file)
    rules = files.current()
    file = found.state_dir / "store.db"
    if not found.store_url.get_secret_value() and not file.exists():
        raise StoreUnavailable(f"There is no store {file}; start the service once, or leave --live out.")
    store = open_store(found.store, "understudy-decide")
    try:
        return [(each, judge.foresee(store, rules, each, now)) for each in alerts(body, now)]
    finally:
        store.close()


def read_rules(policies: Path, calendar: Path | None, site: Site) -> str:
    """Read the rules and say how many there are. Raises PolicyError."""
    rules = RulesFiles(site, policies, calendar).current()
    counts = f"{len(rules.policies.policies)} policies, {len(rules.policies.schedules)} schedules"
    return f"{policies} can be used: {counts}{'' if calendar is None else f'; so can {calendar}'}."


def show(found: Foreseen, around: Surroundings, *, as_json: bool) -> None:
    """Write the decisions."""
    if as_json:
        output.own_json([_plain(alert, decision) for alert, decision in found])
        return
    screen = output.console()
    for alert, decision in found:
        labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if name != "alertname")
        screen.print(
            output.card(
                [
                    ("alert", f"{alert.name or '(without a name)'} ({alert.status}) {labels}"),
                    ("verdict", output.worded(decision.verdict)),
                    ("reason", decision.reason),
                    ("policy", decision.policy),
                    ("action", decision.action),
                    ("target", decision.target),
                    ("variables", output.pairs(decision.variables)),
                    ("approvals", decision.approvals or ""),
                    ("until", output.moment(decision.until.isoformat() if decision.until else None, around)),
                ]
            )
        )


def _planned(rules: Rules, now: datetime, ready: int) -> int:
    if rules.calendar is None:
        return 0
    return calendars.start_early(calendars.look(rules.calendar, now), now, ready, {})[0]


def _plain(alert: Alert, decision: Decision) -> dict[str, Any]:
    told = dataclasses.asdict(decision) | {"until": decision.until and decision.until.astimezone(UTC).isoformat()}
    heard = {
        "name": alert.name,
        "status": str(alert.status),
        "labels": dict(alert.labels),
        "starts_at": alert.starts_at.isoformat(),
    }
    return {"alert": heard, "decision": told}
