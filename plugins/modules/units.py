#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring all systemd units of a role to their state in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: units
short_description: Bring all systemd units of a role to their state in one round trip
version_added: "0.1.0"
author: The Understudy authors
description:
  - Does for a list what M(ansible.builtin.systemd_service) does for one unit. systemd is told to read its files
    again when it says that it must, and when it has not seen a drop-in below /etc/systemd/system.
  - Units are worked on in the order of the list. A unit that does not start fails the task with the last lines of its
    journal.
options:
  units:
    description: What the units are to be, in order.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the unit with its suffix.
        type: str
        required: true
      enabled:
        description: Whether it is started at boot. Left as it is when not given.
        type: bool
      running:
        description: Whether it runs now. Left as it is when not given.
        type: bool
      masked:
        description: Whether nothing may start it. Left as it is when not given.
        type: bool
      restart:
        description: Restart it when it was running already.
        type: bool
        default: false
      reload:
        description: Let it read its configuration again when it was running already.
        type: bool
        default: false
      restart_after:
        description:
          - Restart it when one of these paths was written after it began to start. So a run that was stopped between
            the writing and the restart is made good by the next one. A path that is not there was not written.
        type: list
        elements: path
        default: []
      reload_after:
        description: Reload it when one of these paths was written after it last changed its state, as a reload does.
        type: list
        elements: path
        default: []
  written:
    description:
      - Paths that a check run would have written, such as C(changed_paths) of M(understudy.hybrid.files). They count
        as just written there. A real run looks at the paths themselves.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Start it
  understudy.hybrid.units:
    units:
      - {name: thing.service, enabled: true, running: true, restart_after: [/etc/thing/thing.conf]}
    written: "{{ __thing_files.changed_paths }}"
"""

RETURN = r"""
done:
  description: What was done, as systemctl would be told.
  type: list
  elements: str
  returned: always
restarted:
  description: Units that were restarted.
  type: list
  elements: str
  returned: always
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import unit_steps

PROPERTIES = (
    "Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,DropInPaths,Triggers,"
    "InactiveExitTimestampMonotonic,StateChangeTimestampMonotonic"
)
UNITS = Path("/etc/systemd/system")
ENTRY = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool"},
    "running": {"type": "bool"},
    "masked": {"type": "bool"},
    "restart": {"type": "bool", "default": False},
    "reload": {"type": "bool", "default": False},
    "restart_after": {"type": "list", "elements": "path", "default": []},
    "reload_after": {"type": "list", "elements": "path", "default": []},
}


def systemctl(module: AnsibleModule, *arguments: str) -> tuple[int, str, str]:
    """Run systemctl without a pager or a question."""
    code, said, complaint = module.run_command(["systemctl", "--no-pager", "--no-ask-password", *arguments])
    return int(code), str(said), str(complaint)


def look(module: AnsibleModule, names: list[str]) -> list[dict[str, str]]:
    """Ask for the state of all units at once; each is one block, in the order asked."""
    code, said, complaint = systemctl(module, "show", "--property", PROPERTIES, *names)
    blocks = unit_steps.parse(said)
    if code != 0 or len(blocks) != len(names):
        module.fail_json(msg=f"systemctl show {' '.join(names)} failed: {(complaint or said).strip()}")
    return blocks


def drop_ins(name: str) -> list[str]:
    """List the drop-ins below /etc/systemd/system that are there for a unit; a link to /dev/null is none."""
    directories = [UNITS / directory for directory in unit_steps.drop_in_directories(name)]
    return [str(path) for directory in directories for path in directory.glob("*.conf") if path.is_file()]


def modified(module: AnsibleModule, wanted: list[unit_steps.Wanted]) -> dict[str, float]:
    """Look when the paths were last written; those that are not there are left out."""
    paths = {Path(path) for unit in wanted for path in (*unit.restart_after, *unit.reload_after)}
    times = {str(path): path.stat().st_mtime for path in paths if path.exists()}
    if module.check_mode:
        times.update(dict.fromkeys(module.params["written"], time.time()))
    return times


def perform(module: AnsibleModule, verb: str, name: str) -> None:
    """Run one step; a failure carries the unit's own last words."""
    code, said, complaint = systemctl(module, verb, name)
    if code == 0:
        return
    _, journal, _ = module.run_command(["journalctl", "--no-pager", "--lines", "20", "--output", "cat", "--unit", name])
    module.fail_json(
        msg=f"systemctl {verb} {name} failed: {(complaint or said).strip()}\nIts journal ends with:\n{journal.strip()}",
        unit=name,
    )


def main() -> None:
    """Look at all units, then take the steps that are missing."""
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
            "written": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    wanted = [unit_steps.Wanted(**entry) for entry in module.params["units"]]
    names = [unit.name for unit in wanted]
    if not names:
        module.exit_json(changed=False, done=[], restarted=[])
    blocks = look(module, names)
    started = unit_steps.triggered(blocks, names)
    seen = zip([*names, *started], [*blocks, *(look(module, started) if started else [])], strict=True)
    stale = any(unit_steps.stale(block, drop_ins(name)) for name, block in seen)
    if stale and not module.check_mode:
        systemctl(module, "daemon-reload")
        blocks = look(module, names)
    times, epoch_of_boot = modified(module, wanted), time.time() - time.monotonic()
    done: list[str] = []
    for unit, block in zip(wanted, blocks, strict=True):
        found = unit_steps.found(block, epoch_of_boot)
        if found.load == "not-found" and not module.check_mode and (unit.enabled or unit.running):
            module.fail_json(msg=f"There is no unit {unit.name}. Install what brings it, then run this again.")
        for verb in unit_steps.steps(unit, found, times):
            if not module.check_mode:
                perform(module, verb, unit.name)
            done.append(f"{verb} {unit.name}")
    result: dict[str, Any] = {
        "changed": bool(done),
        "done": done,
        "restarted": [step.split(" ", 1)[1] for step in done if step.startswith("restart ")],
    }
    module.exit_json(**result)


if __name__ == "__main__":
    main()
