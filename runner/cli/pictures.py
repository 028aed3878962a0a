"""Show the API's answers to people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from runner.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.cli.session import Surroundings

BAR = "█"
WIDEST_BAR = 40  # columns

type Data = dict[str, Any]


def submitted(data: Data, _around: Surroundings) -> None:
    """Show what became of a wish."""
    decision = data["decision"]
    screen = output.console()
    line = output.worded(decision["verdict"])
    line.append(f"  {output.clean(decision['reason'])}", "default")
    screen.print(line)
    screen.print(f"job {output.clean(data['job']['id'])}  {data['job']['state']}")


def jobs(data: Data, around: Surroundings) -> None:
    """Show a table of jobs."""
    rows = data["jobs"]
    table = output.table("job", "state", "target", "variables", "asked by", "made", "took", "outcome")
    for each in rows:
        table.add_row(
            output.clean(each["id"]),
            output.worded(each["state"]),
            output.clean(each["target"]),
            output.pairs(each["variables"]),
            output.clean(each["requested_by"]),
            output.moment(each["created_at"], around),
            _took(each, around),
            output.clean(each["outcome"]),
        )
    output.console().print(table if rows else "There are no such jobs.")


def job(data: Data, around: Surroundings, story: Sequence[Data] = ()) -> None:
    """Show one job and the end of its story."""
    screen = output.console()
    screen.print(
        output.card(
            [
                ("job", data["id"]),
                ("state", output.worded(data["state"])),
                ("reason", data["reason"]),
                ("action", data["action"]),
                ("target", data["target"]),
                ("variables", output.pairs(data["variables"])),
                ("asked by", data["requested_by"]),
                ("approvals", _approvals(data)),
                ("made", output.moment(data["created_at"], around)),
                ("started", output.moment(data["started_at"], around)),
                ("ended", output.moment(data["ended_at"], around)),
                ("took", _took(data, around)),
                ("attempt", data["attempt"] or ""),
                ("node", data["node"]),
                ("outcome", data["outcome"]),
                ("acknowledged by", data["acknowledged_by"]),
            ]
        )
    )
    if story:
        table = output.table("at", "what", "host", "task", "text", title="The end of its story")
        for each in story:
            table.add_row(
                output.clock(each["at"], around),
                output.worded(each["kind"]),
                output.clean(each["host"]),
                output.clean(each["task"]),
                output.clean(each["text"]),
            )
        screen.print(table)


def line(data: Data, around: Surroundings) -> None:
    """Show one job in one line."""
    shown = Text(f"job {output.clean(data['id'])}  ")
    shown.append_text(output.worded(data["state"]))
    taken = _took(data, around)
    shown.append(f"  {output.clean(data['outcome'] or _approvals(data))}{f'  ({taken})' if taken else ''}")
    output.console().print(shown)


def ledger(data: Data, around: Surroundings) -> None:
    """Show the ledger."""
    rows = data["lines"]
    table = output.table("at", "name", "verdict", "reason", "from", "repeats", "job")
    for each in rows:
        table.add_row(
            output.moment(each["at"], around),
            output.clean(each["name"]),
            output.worded(each["verdict"]),
            output.clean(each["reason"]),
            output.clean(each["source"]),
            str(each["repeats"] or ""),
            output.clean(each["job"]),
        )
    output.console().print(table if rows else "Nothing of that kind is in the ledger.")


def plan(data: Data, around: Surroundings) -> None:
    """Show the plan: an hour a row, with a bar as long as it wants servers."""
    hours = data["hours"]
    most = max((each["servers"] for each in hours), default=0)
    table = output.table("hour", "servers", "", "why")
    for each in hours:
        local = datetime.fromisoformat(each["at"]).astimezone(around.zone)
        bar = BAR * -(-each["servers"] * min(most, WIDEST_BAR) // most) if most else ""
        table.add_row(f"{local:%a %d %b %H:%M}", str(each["servers"]), Text(bar, "cyan"), output.clean(each["reason"]))
    screen = output.console()
    screen.print(table)
    screen.print(f"Wanted now: {data['servers']} ({output.clean(data['reason'])}).")
    if data["allowed"] is not None:
        screen.print(_allowed(data))
    if data["readiness"]:
        screen.print(Text(output.clean(data["readiness"]), "bold red" if data["alarm"] else ""))


def capacity(data: Data, _around: Surroundings) -> None:
    """Show how many servers there are."""
    screen = output.console()
    if not data["known"]:
        screen.print("Nobody has listed the burst servers yet: how many there are is not known, which is not none.")
        return
    told = f"{data['ready']} of {data['wanted']} burst servers are ready, as of {output.age(data['age_seconds'])}."
    screen.print(Text(told, "" if data["ready"] >= data["wanted"] else "yellow"))
    if data["allowed"] is not None:
        screen.print(_allowed(data))
    if data["stale"]:
        screen.print(
            Text("That is the inventory's last good list: the cloud did not answer. Nothing is removed.", "red")
        )


def brake(data: Data, around: Surroundings) -> None:
    """Show the brake."""
    if not data["on"]:
        output.console().print("The brake is off.")
        return
    by, since = output.clean(data["by"]), output.moment(data["since"], around)
    told = f"The brake is ON since {since}, by {by}: {output.clean(data['reason'])}"
    output.console().print(Text(told, "bold red"))


def _allowed(data: Data) -> str:
    return f"The cloud's quota lets there be {data['allowed']}."


def _approvals(data: Data) -> str:
    if not data["approvals_needed"]:
        return ""
    given = f": {', '.join(data['approved_by'])}" if data["approved_by"] else ""
    return f"{len(data['approved_by'])} of {data['approvals_needed']}{given}"


def _took(data: Data, around: Surroundings) -> str:
    if not data["started_at"]:
        return ""
    ended = datetime.fromisoformat(data["ended_at"]) if data["ended_at"] else around.clock()
    return output.span((ended - datetime.fromisoformat(data["started_at"])).total_seconds())
