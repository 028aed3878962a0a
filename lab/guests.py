"""Play the faults of single cloud servers, by their name."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from lab import cloud, cloud_operator
from lab.cloud_layout import Layout
from lab.commands import run
from lab.errors import CommandError, LabError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LAB = Layout()
_NOVA = "{http://openstack.org/xmlns/libvirt/nova/1.1}"
_MANAGEMENT = "management"
_DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class Guest:
    """Hold what libvirt knows of a server; `taps` are its cables on the host, each with its bridge."""

    name: str
    domain: str
    taps: dict[str, str]


def parse(definitions: Iterable[str]) -> dict[str, Guest]:
    """Return the guests by server name from libvirt's XML definitions (pure)."""
    found = {}
    for text in definitions:
        tree = ET.fromstring(text)  # noqa: S314  written by the lab's own libvirt
        name = tree.findtext(f".//{_NOVA}instance/{_NOVA}name")
        if name is None:
            continue
        taps = {}
        for interface in tree.iterfind("./devices/interface"):
            target, source = interface.find("target"), interface.find("source")
            if target is not None and source is not None:
                taps[target.get("dev", "")] = source.get("bridge", "")
        found[name] = Guest(name, tree.findtext("name", ""), taps)
    return found


def names(layout: Layout = _LAB) -> list[str]:
    """Return the names of all servers that the cloud's hypervisor has, running or not."""
    return sorted(_guests(layout))


def isolate(name: str, layout: Layout = _LAB) -> None:
    """Unplug a server's cables to the site's networks; management stays."""
    _plug(_guest(name, layout), "down", layout)


def rejoin(name: str, layout: Layout = _LAB) -> None:
    """Plug a server's cables in again."""
    _plug(_guest(name, layout), "up", layout)


def power_off(name: str, layout: Layout = _LAB) -> None:
    """Take a server's power away: first its cables, so that its end says nothing, then all its processes."""
    guest = _guest(name, layout)
    if state(name, layout) == "shut off":
        return
    _plug(guest, "down", layout)
    _virsh(layout, "destroy", guest.domain)


def power_on(name: str, layout: Layout = _LAB) -> None:
    """Let Nova boot a server again, and wait until it runs.

    Raises LabError when it does not run within the deadline.
    """
    from lab import cloud_content  # noqa: PLC0415  openstacksdk costs every other command of `lab` a second

    guest = _guest(name, layout)
    if _state(guest, layout) == "running":
        return
    compute = cloud_content.connect(layout, cloud_operator.ADMINISTRATOR).compute
    server = compute.find_server(name, ignore_missing=False, all_projects=True)
    if server.status == "SHUTOFF":
        compute.start_server(server)
    else:
        compute.reboot_server(server, "HARD")  # Nova has not noticed yet that the power went
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while _state(guest, layout) != "running":  # its definition is gone for a moment while Nova boots it
        if time.monotonic() > deadline:
            raise LabError(
                f"{name} does not run {_DEADLINE_SECONDS} s after its power came back; "
                f"see {layout.logs}/nova-compute.log."
            )
        time.sleep(0.25)


def pause(name: str, layout: Layout = _LAB) -> None:
    """Freeze all processes of a server; its cables and connections stay."""
    if state(name, layout) != "paused":
        _virsh(layout, "suspend", _guest(name, layout).domain)


def resume(name: str, layout: Layout = _LAB) -> None:
    """Let a frozen server go on."""
    if state(name, layout) == "paused":
        _virsh(layout, "resume", _guest(name, layout).domain)


def state(name: str, layout: Layout = _LAB) -> str:
    """Return a server's state as libvirt names it (running, paused, shut off)."""
    return _state(_guest(name, layout), layout)


def _state(guest: Guest, layout: Layout) -> str:
    try:
        return _virsh(layout, "domstate", guest.domain).strip()
    except CommandError as error:
        if "failed to get domain" in str(error):
            return "shut off"  # Nova is defining the domain anew, as it does in a hard reboot
        raise


def _guests(layout: Layout) -> dict[str, Guest]:
    return parse(path.read_text() for path in sorted(layout.domains.glob("instance-*.xml")))


def _guest(name: str, layout: Layout) -> Guest:
    guests = _guests(layout)
    if name not in guests:
        raise UnknownNameError(
            f"{name} is no server of the lab's cloud; it has: {', '.join(sorted(guests)) or 'none'}."
        )
    return guests[name]


def _virsh(layout: Layout, *arguments: str) -> str:
    first = cloud.first_process(layout)
    if first is None:
        raise LabError("The lab's cloud does not run, so its servers cannot be disturbed; run `lab power-on cloud`.")
    inside = ["nsenter", f"--target={first}", "--mount", "--net", "--pid", "--"]
    return run([*inside, "virsh", "--quiet", "--connect", "lxc:///system", *arguments])


def _plug(guest: Guest, direction: Literal["up", "down"], layout: Layout) -> None:
    links = json.loads(run(["ip", "-json", "-netns", layout.namespace, "link", "show"]))
    present = {each["ifname"] for each in links}
    management = next((each.get("master") for each in links if each["ifname"] == _MANAGEMENT), None)
    for tap, bridge in guest.taps.items():
        if bridge != management and tap in present:
            run(["ip", "-netns", layout.namespace, "link", "set", tap, direction])
