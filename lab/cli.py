"""The `lab` command: build the lab, look at it, break it and mend it."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from lab import building, demo, faults, machine, ssh, status, sweep, topology
from lab.drills import entry
from lab.errors import LabError, UnknownNameError
from lab.paths import Paths
from lab.slow import Slowness

_KEPT_BY_SUDO = "LAB_RELEASE,ACCELERATE,SETUP_SECONDS,PATH,NO_COLOR,TERM"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

Site = Annotated[str, typer.Argument(metavar="SITE", help="colo, cloud, witness or customers")]
HostName = Annotated[str, typer.Argument(metavar="HOST", help="a host's name, as `lab status` lists it")]
SiteOrHost = Annotated[str, typer.Argument(metavar="SITE|HOST", help="a site or a host")]


class ApiMode(StrEnum):
    """What the cloud's API does."""

    HANG = "hang"
    DOWN = "down"
    UP = "up"


@app.command()
def up(playbook_arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Build the lab, or finish and mend one that is there (ansible-playbook lab/up.yml, then the product's)."""
    paths = Paths()
    machine.require(machine.detect(paths))
    _as_root()
    try:
        building.run(building.UP, playbook_arguments or [])
    finally:
        building.hand_over(paths)


@app.command()
def down(playbook_arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Remove the lab; images stay in the cache (ansible-playbook lab/down.yml)."""
    _as_root()
    building.run(building.DOWN, playbook_arguments or [])


@app.command("demo")
def demonstrate(
    context: typer.Context,
    *,
    seconds: Annotated[int, typer.Option(min=10, help="how long the crowd buys at least")] = 60,
    arrivals: Annotated[float, typer.Option(min=0.1, help="customers per second")] = 8,
) -> None:
    """Build everything, let a crowd buy tickets while a release rolls, audit, and write reports/latest.html."""
    machine.require(machine.detect(Paths()))
    setup_seconds = float(os.environ.get("SETUP_SECONDS", "0"))
    if not demo.run(_lab(context), seconds=seconds, arrivals=arrivals, setup_seconds=setup_seconds):
        raise LabError("The demonstration was not clean; the report says what was lost or failed.")


@app.command()
def drill(
    names: Annotated[list[str], typer.Argument(metavar="ROW...", help="as `understudy drill --list` shows them")],
    *,
    keep: Annotated[bool, typer.Option("--keep", help="add the figures to docs/measurements/drills.json")] = False,
) -> None:
    """Run rows of the failure matrix: the same as `understudy drill`."""
    raise typer.Exit(entry.run(names, keep=keep))


@app.command()
def leftovers() -> None:
    """List everything of a lab that is on this machine, its cache apart; nothing after `lab down`."""
    _as_root()
    for sentence in sweep.leftovers(Paths()):
        typer.echo(sentence)


@app.command()
def check() -> None:
    """Tell what this machine is and what the lab would miss on it."""
    found = machine.detect(Paths())
    table = Table("found", "value", box=SIMPLE, title="This machine")
    for name, value in dataclasses.asdict(found).items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    machine.require(found)
    typer.echo("The lab can be built here.")


@app.command("status")
def show_status(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """Show every host, the cloud's services, and what is broken on purpose."""
    found = status.read(_lab(context))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2))
        return
    console = Console()
    console.print(_host_table(found))
    if found.cloud_services:
        services = Table("service", "state", box=SIMPLE, title="The cloud's services")
        for name, state in found.cloud_services.items():
            services.add_row(name, state)
        console.print(services)
    for sentence in found.faults:
        console.print(sentence, style="bold red")


@app.command()
def cut(
    context: typer.Context,
    first: Site,
    second: Site,
    *,
    one_way: Annotated[
        bool, typer.Option("--one-way", help="lose only the packets from the first to the second")
    ] = False,
) -> None:
    """Lose every packet between two sites, until `lab heal`."""
    faults.cut(_lab(context), first, second, one_way=one_way)


@app.command()
def heal(context: typer.Context) -> None:
    """End all cuts, isolations and slow lines; power, pauses and the cloud's API stay as they are."""
    faults.heal(_lab(context))


@app.command()
def isolate(context: typer.Context, name: SiteOrHost) -> None:
    """Cut a site off from all others, or a host from everything but the management network."""
    faults.isolate(_lab(context), name)


@app.command("power-off")
def power_off(context: typer.Context, name: SiteOrHost) -> None:
    """Take the power from a host, or from every host of a site, at once."""
    faults.power_off(_lab(context), name)


@app.command("power-on")
def power_on(context: typer.Context, name: SiteOrHost) -> None:
    """Give the power back and wait until the hosts answer on SSH."""
    faults.power_on(_lab(context), name)


@app.command()
def slow(
    context: typer.Context,
    first: Site,
    second: Site,
    milliseconds: Annotated[float, typer.Option("--ms", min=0, max=10_000, help="delay, each way")] = 0,
    mbit: Annotated[float, typer.Option("--mbit", min=0, help="limit in Mbit/s each way; 0 is none")] = 0,
) -> None:
    """Delay and limit what passes between two sites; without options, or with `lab heal`, it ends."""
    faults.slow_down(_lab(context), first, second, Slowness(milliseconds, mbit))


@app.command()
def pause(context: typer.Context, host: HostName) -> None:
    """Freeze all processes of a host."""
    faults.pause(_lab(context), host)


@app.command()
def resume(context: typer.Context, host: HostName) -> None:
    """Let a frozen host go on."""
    faults.resume(_lab(context), host)


@app.command("cloud-api")
def cloud_api(context: typer.Context, mode: ApiMode) -> None:
    """Let the cloud's public API hang, refuse, or work again."""
    _lab(context)
    faults.cloud_api(mode.value)


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    context: typer.Context,
    host: HostName,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND")],
) -> None:
    """Run a command on a host over the management network, as the user ansible."""
    lab = _lab(context)
    address = faults.management_address(lab, host)
    arguments = ssh.command(lab.paths, address, *command, interactive=sys.stdin.isatty())
    os.execvp(arguments[0], arguments)  # noqa: S606 - the command takes this process's place


def main(arguments: list[str] | None = None, lab: faults.Lab | None = None) -> None:
    """Run the command; a LabError becomes a message and exit code 1, an unknown name exit code 2."""
    try:
        app(arguments, obj=lab)
    except KeyboardInterrupt:
        typer.echo("Interrupted. It is safe to run the same command again.", err=True)
        sys.exit(130)
    except LabError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, UnknownNameError) else 1)


def _lab(context: typer.Context) -> faults.Lab:
    if isinstance(context.obj, faults.Lab):
        return context.obj
    _as_root()
    return faults.Lab(topology.load(), Paths())


def _as_root() -> None:
    """Become root through sudo, unless this process is."""
    if os.geteuid() != 0:
        again = ["sudo", f"--preserve-env={_KEPT_BY_SUDO}", sys.executable, "-m", "lab", *sys.argv[1:]]
        os.execvp(again[0], again)  # noqa: S606 - the command takes this process's place


def _host_table(found: status.LabStatus) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, title="Hosts")
    for heading in ("host", "site", "address", "management", "power", "up"):
        table.add_column(heading, no_wrap=True)
    table.add_column("services", overflow="fold", min_width=8)
    for host in found.hosts:
        inside = [text for network, text in host.addresses.items() if network != topology.MANAGEMENT]
        style = None if host.answers and host.services == "running" else "red"
        table.add_row(
            host.name,
            host.site,
            "\n".join(inside),
            host.addresses.get(topology.MANAGEMENT, ""),
            host.power,
            "yes" if host.answers else "no",
            host.services or "unknown",
            style=style,
        )
    return table
