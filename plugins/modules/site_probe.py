#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what this host sees of another site: whether any of its doors opens."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_probe
short_description: Say what this host sees of another site
version_added: "0.1.0"
author: The Understudy authors
description:
  - Runs on an observer, and knocks at doors of another site, all at once and several times. One that opens or refuses
    shows that somebody is there. None that answers shows that this host does not see the site, and no more than that.
options:
  ways:
    description:
      - Name of each way that leads there, such as C(outside) and C(tunnel), to its doors, addresses with ports such as
        C(203.0.113.10:443). A way without doors is not looked along.
    type: dict
    required: true
  tries:
    description: How often each door is tried before it counts as silent.
    type: int
    default: 3
  timeout_seconds:
    description: How long one try may take.
    type: float
    default: 1.5
"""

EXAMPLES = r"""
- name: Look at the colo from outside
  understudy.hybrid.site_probe:
    ways: {outside: ["203.0.113.10:443"], tunnel: ["10.1.0.21:5432"]}
"""

RETURN = r"""
sights:
  description:
    - For each way, C(seen), which is C(up) when any door answered and else C(down), and C(words), what each door said.
  type: dict
  returned: always
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ansible.module_utils.basic import AnsibleModule

LIMITS = ("tries", "timeout_seconds")


def knock(door: str, tries: int, timeout_seconds: float) -> str:
    """Try a door until it answers; return what it said, nothing when it never did."""
    address, _, port = door.rpartition(":")
    for _ in range(tries):
        try:
            with socket.create_connection((address.strip("[]"), int(port)), timeout_seconds):
                return "opens"
        except ConnectionRefusedError:
            return "refuses, so somebody is there"
        except OSError:
            continue
    return ""


def told(doors: list[str], answers: list[str]) -> dict[str, str]:
    """Return whether anybody was seen, and what each door said."""
    words = ", ".join(f"{door} {answer or 'is silent'}" for door, answer in zip(doors, answers, strict=True))
    return {"seen": "up" if any(answers) else "down", "words": words}


def is_door(door: str) -> bool:
    """Say whether this is an address with a port."""
    address, _, port = door.rpartition(":")
    return bool(address) and port.isdigit()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "ways": {"type": "dict", "required": True},
            "tries": {"type": "int", "default": 3},
            "timeout_seconds": {"type": "float", "default": 1.5},
        },
        supports_check_mode=True,
    )
    given = module.params
    doors = [door for each in given["ways"].values() for door in each]
    if wrong := [door for door in doors if not is_door(door)]:
        module.fail_json(msg=f"{wrong[0]!r} is no door; write an address and a port, such as 203.0.113.10:443.")
    with ThreadPoolExecutor(max(1, len(doors))) as pool:
        answers = dict(zip(doors, pool.map(partial(knock, **{k: given[k] for k in LIMITS}), doors), strict=True))
    sights = {way: told(each, [answers[door] for door in each]) for way, each in given["ways"].items() if each}
    module.exit_json(changed=False, sights=sights)


if __name__ == "__main__":
    main()
