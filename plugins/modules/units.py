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
    again when it says that it must.
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
"""

EXAMPLES = r"""
- name: Start it
  understudy.hybrid.units:
    units:
      - {name: thing.service, enabled: true, running: true, restart: "{{ __thing_files.changed }}"}
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

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import unit_steps

PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload"
ENTRY = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool"},
    "running": {"type": "bool"},
    "masked": {"type": "bool"},
    "restart": {"type": "bool", "default": False},
    "reload": {"type": "bool", "default": False},
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
        argument_spec={"units": {"type": "list", "elements": "dict", "required": True, "options": ENTRY}},
        supports_check_mode=True,
    )
    wanted = [unit_steps.Wanted(**entry) for entry in module.params["units"]]
    names = [unit.name for unit in wanted]
    if not names:
        module.exit_json(changed=False, done=[], restarted=[])
    blocks = look(module, names)
    stale = any(block["NeedDaemonReload"] == "yes" or block["LoadState"] == "not-found" for block in blocks)
    if stale and not module.check_mode:
        systemctl(module, "daemon-reload")
        blocks = look(module, names)
    done: list[str] = []
    for unit, block in zip(wanted, blocks, strict=True):
        found = unit_steps.Found(block["LoadState"], block["ActiveState"], block["UnitFileState"])
        if found.load == "not-found" and not module.check_mode and (unit.enabled or unit.running):
            module.fail_json(msg=f"There is no unit {unit.name}. Install what brings it, then run this again.")
        for verb in unit_steps.steps(unit, found):
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
