"""The catalogue: everything the runner can do, and what each of it may cost (pure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from runner.errors import InvalidRequest
from runner.model import Scalar, Site, Variables


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a caller may set, with its type and limits. A variable that is not listed is refused."""

    kind: type[int] | type[str] | type[bool]
    about: str
    required: bool = False
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One thing the runner can do. `lock` names what two jobs may not touch at once.

    `time_limit_seconds` is that of each attempt: what a runner that came back, or its heir, begins again has all of it.
    """

    name: str
    playbook: str  # below playbooks/, without .yml
    about: str
    owner: Site  # the site where it must work when the other is dark
    lock: str
    time_limit_seconds: int
    repeatable: bool  # may run again after it was stopped in the middle
    removes: bool = False  # takes something away: never on a stale inventory
    recovery: bool = False  # at most one per target and block period, until a person acknowledges
    undo: str | None = None
    variables: Mapping[str, Variable] = dataclasses.field(default_factory=dict)


WANTED = Variable(int, "how many burst servers there shall be", required=True, least=0, most=200)
BACKUP_TYPE = Variable(
    str,
    "everything (full), or what changed since then (diff) or since the last one (incr)",
    choices=("full", "diff", "incr"),
)
COUNT = "count_servers"  # what hands, a dashboard or a fault changed is known from then on
BY_ALERT = Variable(bool, "nobody approved it: the policy data_failover and the witness have to agree")
INSISTS = Variable(str, "the words that override what a refusal says can be overridden")

CATALOGUE: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action(
            name="scale_out",
            playbook="scale_out",
            about="Bring burst servers into being until there are as many as wanted; each is proven, then enrolled.",
            owner="cloud",
            lock="capacity",
            time_limit_seconds=600,
            repeatable=True,
            undo="scale_in",
            variables={"wanted_servers": WANTED},
        ),
        Action(
            name="scale_in",
            playbook="scale_in",
            about="Drain and remove the newest burst servers until there are only as many as wanted.",
            owner="cloud",
            lock="capacity",
            time_limit_seconds=600,
            repeatable=True,
            removes=True,
            undo="scale_out",
            variables={"wanted_servers": WANTED},
        ),
        Action(
            name=COUNT,
            playbook="count_servers",
            about="Count the burst servers there are, as the cloud lists them; changes nothing.",
            owner="cloud",
            lock="capacity",  # never beside a job that makes or removes some
            time_limit_seconds=300,
            repeatable=True,
        ),
        Action(
            name="bake_image",
            playbook="bake_image",
            about="Make the image of burst servers anew with the current release, boot it, verify it, then publish it.",
            owner="cloud",
            lock="image",
            time_limit_seconds=1800,
            repeatable=True,
        ),
        Action(
            name="bake_database_image",
            playbook="bake_database_image",
            about="Make the image of database hosts anew, run a database on it, then publish it.",
            owner="cloud",
            lock="image",
            time_limit_seconds=1800,
            repeatable=True,
        ),
        Action(
            name="prepare_failover",
            playbook="prepare_failover",
            about="Make the cloud's database host from the backups, so that a failover finds it; it does not lead.",
            owner="cloud",
            lock="site",
            time_limit_seconds=1800,
            repeatable=True,
            undo="remove_cloud_database",
        ),
        Action(
            name="remove_cloud_database",
            playbook="remove_cloud_database",
            about="Remove the cloud's database host with all its data, where it does not lead.",
            owner="cloud",
            lock="site",
            time_limit_seconds=600,
            repeatable=True,  # not `removes`: one host by its name, and no count of servers
            undo="prepare_failover",
        ),
        Action(
            name="fail_over_to_cloud",
            playbook="fail_over_to_cloud",
            about="Let the cloud take over from a colo that is lost: refused unless the observers agree.",
            owner="cloud",
            lock="site",
            time_limit_seconds=1800,
            repeatable=True,
            recovery=True,
            undo="fail_back_to_colo",
            variables={"failover_by_alert": BY_ALERT, "failover_insists": INSISTS},
        ),
        Action(
            name="fail_back_to_colo",
            playbook="fail_back_to_colo",
            about="Bring the show home to the colo; what the colo alone has is kept and listed.",
            owner="cloud",
            lock="site",
            time_limit_seconds=7200,
            repeatable=True,  # not `removes`: the one host by its name; burst servers go by scale_in
            undo="fail_over_to_cloud",
        ),
        Action(
            name="take_backup",
            playbook="take_backup",
            about="Take an encrypted backup of the database into the object storage.",
            owner="colo",
            lock="backup",
            time_limit_seconds=14400,
            repeatable=True,
            variables={"backup_type": BACKUP_TYPE},
        ),
        Action(
            name="verify_backup",
            playbook="verify_backup",
            about="Read every backup and all WAL in the object storage, and name what is wrong.",
            owner="colo",
            lock="backup",
            time_limit_seconds=14400,
            repeatable=True,
        ),
        Action(
            name="prove_backup",
            playbook="prove_backup",
            about="Restore the newest backup on a throwaway server, ask what came back, and leave nothing of it.",
            owner="cloud",
            lock="proof",
            time_limit_seconds=14400,
            repeatable=True,
        ),
        Action(
            name="rehearse_failover",
            playbook="rehearse_failover",
            about="Restore the backups on a throwaway server, let it lead and sell a ticket there, and leave nothing.",
            owner="cloud",
            lock="proof",
            time_limit_seconds=14400,
            repeatable=True,
        ),
        Action(
            name="guard_cloud_database",
            playbook="guard_cloud_database",
            about="Look for a database in the cloud where none is declared, and name what is found.",
            owner="cloud",
            lock="proof",
            time_limit_seconds=900,
            repeatable=True,
        ),
    )
}


def action_named(name: str) -> Action:
    """Return an action of the catalogue. Raises InvalidRequest with the names there are."""
    try:
        return CATALOGUE[name]
    except KeyError:
        raise InvalidRequest(f"There is no action {name!r}; there are {', '.join(sorted(CATALOGUE))}.") from None


def checked(action: Action, given: Mapping[str, object]) -> Variables:
    """Return the variables of a job, checked against the action's own list. Raises InvalidRequest."""
    unknown = sorted(set(given) - set(action.variables))
    if unknown:
        allowed = ", ".join(sorted(action.variables)) or "none"
        raise InvalidRequest(f"Action {action.name} knows no variable {unknown[0]!r}; it takes: {allowed}.")
    missing = sorted(name for name, each in action.variables.items() if each.required and name not in given)
    if missing:
        raise InvalidRequest(f"Action {action.name} needs {missing[0]}: {action.variables[missing[0]].about}.")
    return {name: _checked(action, name, value) for name, value in given.items()}


def _checked(action: Action, name: str, value: object) -> Scalar:
    variable = action.variables[name]
    # bool is an int in Python; a person who writes true does not mean 1.
    if not isinstance(value, variable.kind) or (variable.kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"{action.name}: {name} is {value!r}; expected {variable.kind.__name__}.")
    if isinstance(value, int) and not isinstance(value, bool):
        if variable.least is not None and value < variable.least:
            raise InvalidRequest(f"{action.name}: {name} is {value}; the least is {variable.least}.")
        if variable.most is not None and value > variable.most:
            raise InvalidRequest(f"{action.name}: {name} is {value}; the most is {variable.most}.")
    if variable.choices and value not in variable.choices:
        raise InvalidRequest(f"{action.name}: {name} is {value!r}; expected one of {', '.join(variable.choices)}.")
    return value
