"""The policy file: which alert leads to which action, within which limits (pure: it takes the text)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, PlainValidator, Strict, TypeAdapter, ValidationInfo

from runner.actions import CATALOGUE, Action, checked
from runner.errors import InvalidRequest, PolicyError
from runner.model import Alert, AlertStatus, Site
from runner.policy import durations, files, matchers, zones

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNTED = "wanted_servers"  # the variable of actions that are told a number of servers, not what to do
Notice = Literal["job_started", "job_succeeded", "job_failed", "job_rejected", "approval_wanted", "alarm", "brake"]
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
CRON = re.compile(r"(?:[0-9A-Za-z*/,#?-]+\s+){4}[0-9A-Za-z*/,#?-]+")
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("expected a short name of a-z, 0-9, - and _")
    return value


def _action(value: object, info: ValidationInfo) -> Action:
    catalogue: Mapping[str, Action] = (info.context or {})["catalogue"]
    if not isinstance(value, str) or value not in catalogue:
        raise ValueError(f"expected an action of the catalogue: {', '.join(sorted(catalogue))}")
    return catalogue[value]


def _cron(value: object) -> str:
    if not isinstance(value, str) or not CRON.fullmatch(value.strip()):
        raise ValueError("expected five fields of cron, such as '30 4 * * mon'")
    return value.strip()


def _path(value: object) -> Path:
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise ValueError("expected the absolute path of a file that holds the address")
    return Path(value)


def _no_key(_value: object) -> Mapping[str, Action]:
    raise ValueError("the catalogue stands in runner/actions.py; leave this key out")


Name = Annotated[str, PlainValidator(_name)]
ActionOf = Annotated[Action, PlainValidator(_action)]
Cron = Annotated[str, PlainValidator(_cron)]
Zone = Annotated[ZoneInfo, PlainValidator(zones.zone)]
Duration = Annotated[timedelta, PlainValidator(durations.parse)]
Matcher = Annotated[matchers.Matcher, PlainValidator(matchers.parse)]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
Approvals = Annotated[int, Strict(), Field(ge=0, le=2)]
Given = Mapping[str, Annotated[bool, Strict()] | Annotated[int, Strict()] | Annotated[float, Strict()] | str]
NOTHING = timedelta(0)


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """What to do about the alerts that fulfil all of `match`. Meanings and defaults: docs/reference/policies.md."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    name: Name
    match: Annotated[tuple[Matcher, ...], Field(min_length=1)]
    action: ActionOf
    target: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    variables: Given = dataclasses.field(default_factory=dict)
    step: Whole | None = None
    floor: Count | None = None
    ceiling: Count | None = None
    cooldown: Duration = NOTHING
    block_period: Duration | None = None
    quiet: Duration = NOTHING
    approvals: Approvals = 0
    on: AlertStatus = AlertStatus.FIRING
    owner: Site | None = None

    @property
    def counts(self) -> bool:
        """Tell whether the action is told a number of servers."""
        return COUNTED in self.action.variables

    @property
    def adds(self) -> bool:
        """Tell whether the policy brings servers into being."""
        return self.counts and not self.action.removes

    @property
    def replaces(self) -> bool:
        """Tell whether the policy only brings back what is lost: as many as are wanted already."""
        return self.adds and self.step == 0

    @property
    def site(self) -> Site:
        """Return the site whose runner acts on it."""
        return self.owner or self.action.owner

    @property
    def blocked_for(self) -> timedelta:
        """Return the block period; recoveries have one of 30 minutes when the file says nothing."""
        return self.block_period or (timedelta(minutes=30) if self.action.recovery else NOTHING)

    def matches(self, alert: Alert) -> bool:
        """Tell whether the policy speaks of this alert, whatever the alert's status."""
        return all(matcher.matches(alert.labels) for matcher in self.match)


@dataclasses.dataclass(frozen=True, slots=True)
class Schedule:
    """An action at fixed times. `cron` has five fields, in the file's time zone."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    name: Name
    cron: Cron
    action: ActionOf
    variables: Given = dataclasses.field(default_factory=dict)
    approvals: Approvals = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Heartbeat:
    """The alert that always fires: its silence is the alarm."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    alertname: Annotated[str, Field(min_length=1)] = "Watchdog"
    silent_after: Duration = timedelta(minutes=3)


@dataclasses.dataclass(frozen=True, slots=True)
class Notification:
    """Where to tell people what. The address is a secret: it stands in a file of its own."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    name: Name
    url_file: Annotated[Path, PlainValidator(_path)]
    on: Annotated[tuple[Notice, ...], Field(min_length=1)]


@dataclasses.dataclass(frozen=True, slots=True)
class Policies:
    """The whole policy file. The order of `policies` counts: the first that matches wins."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    time_zone: Zone = dataclasses.field(default_factory=lambda: ZoneInfo("UTC"))
    policies: tuple[Policy, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    heartbeat: Heartbeat | None = None
    notifications: tuple[Notification, ...] = ()
    catalogue: Annotated[Mapping[str, Action], PlainValidator(_no_key)] = dataclasses.field(
        default_factory=lambda: CATALOGUE
    )

    def memory(self) -> timedelta:
        """Return how far back `Situation.recent` has to reach."""
        return max((max(each.cooldown, each.blocked_for, each.quiet) for each in self.policies), default=NOTHING)


def load(text: str, file: str, catalogue: Mapping[str, Action] = CATALOGUE) -> Policies:
    """Read the text of the policy file. Raises PolicyError that names file, key path and value."""
    policies = files.checked(text, file, _ADAPTER, {"catalogue": catalogue})
    for kind, named in (
        ("policies", policies.policies),
        ("schedules", policies.schedules),
        ("notifications", policies.notifications),
    ):
        _once(file, kind, [each.name for each in named])
    for index, policy in enumerate(policies.policies):
        _consistent(_Place(file, f"policies[{index}]"), policy)
    for index, schedule in enumerate(policies.schedules):
        _takes(_Place(file, f"schedules[{index}]"), schedule.action, schedule.variables)
    return dataclasses.replace(policies, catalogue=catalogue)


def spoken_of(alert: Alert, policies: Policies) -> tuple[Policy, ...]:
    """Return the policies that an alert matches, in order, whatever its status (their `last_fired` is to be kept)."""
    return tuple(policy for policy in policies.policies if policy.matches(alert))


def target_of(policy: Policy, labels: Mapping[str, str]) -> str:
    """Return what the action is done to: the policy's target with the alert's labels in it, or the action's lock.

    Raises InvalidRequest when the alert has not the label that the target needs.
    """
    if policy.target is None:
        return policy.action.lock
    for label in PLACEHOLDER.findall(policy.target):
        if not labels.get(label):
            raise InvalidRequest(f"the target of policy {policy.name} needs the label {label}; the alert has none")
    return PLACEHOLDER.sub(lambda found: labels[found[1]], policy.target)


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    file: str
    path: str

    def wrong(self, key: str, value: object, expected: str) -> PolicyError:
        return PolicyError(f"{self.file}: {self.path}.{key} is {files.shown(value)}; {expected}.")


def _once(file: str, kind: str, names: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise _Place(file, f"{kind}[{index}]").wrong("name", name, f"{kind}[{seen[name]}] has it already")
        seen[name] = index


def _consistent(place: _Place, policy: Policy) -> None:
    if policy.counts:
        _counts_well(place, policy)
        return
    for key in ("step", "floor", "ceiling"):
        if (value := getattr(policy, key)) is not None:
            raise place.wrong(key, value, f"leave it out: {policy.action.name} counts no servers")
    _takes(place, policy.action, policy.variables)


def _counts_well(place: _Place, policy: Policy) -> None:
    name, most = policy.action.name, policy.action.variables[COUNTED].most
    if policy.target is not None:
        raise place.wrong("target", policy.target, f"leave it out: {name} has the one target {policy.action.lock}")
    if policy.variables:
        raise place.wrong("variables", dict(policy.variables), f"leave it out: {name} is told {COUNTED} by step")
    if policy.step is None or (policy.step < 0) != policy.action.removes:
        sign = "less than 0, such as -1" if policy.action.removes else "more than 0, such as +2, or +0 for what is lost"
        raise place.wrong("step", policy.step, f"{name} needs a step of {sign}")
    if policy.ceiling is None and policy.adds:
        raise place.wrong("ceiling", None, f"{name} needs the most servers there may ever be")
    for key, value in (("ceiling", policy.ceiling), ("floor", policy.floor)):
        if most is not None and (value or 0) > most:
            raise place.wrong(key, value, f"{name} takes at most {most}")
    if policy.ceiling is not None and (policy.floor or 0) > policy.ceiling:
        raise place.wrong("floor", policy.floor, f"expected no more than the ceiling, {policy.ceiling}")


def _takes(place: _Place, action: Action, variables: Mapping[str, object]) -> None:
    try:
        checked(action, variables)
    except InvalidRequest as error:
        raise place.wrong("variables", dict(variables), str(error).rstrip(".")) from error


_ADAPTER = TypeAdapter(Policies)
