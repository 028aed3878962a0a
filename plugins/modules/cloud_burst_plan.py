#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the burst servers, the quota and the images, and plan what to make and what to remove."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_burst_plan
short_description: Plan which burst servers to make, finish and remove
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - Asks the cloud itself for its servers, quota and images, so that nothing is decided on an old list, and changes
    nothing. A cloud that does not answer fails the task.
options:
  direction:
    description:
      - Whether servers are to be added or removed. C(out) never removes one that serves; C(look) plans nothing.
    type: str
    choices: [out, into, look]
    required: true
  wanted:
    description: How many burst servers are to serve.
    type: int
    required: true
  floor:
    description: The fewest there may be.
    type: int
    default: 0
  ceiling:
    description: The most there may be.
    type: int
    required: true
  places:
    description: Names and addresses at which burst servers may stand, as the edges know them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the server there.
        type: str
        required: true
      address:
        description: Its address in the site's network.
        type: str
        required: true
  down:
    description: Names of servers that no edge finds ready.
    type: list
    elements: str
    default: []
  flavor:
    description: Name of the flavour.
    type: str
    required: true
  release:
    description: Release of the application that an image should hold. Without such an image the newest is taken.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Plan for three burst servers
  understudy.hybrid.cloud_burst_plan:
    cloud: lab
    direction: out
    wanted: 3
    ceiling: 4
    places: "{{ cloud_burst_places }}"
    flavor: was.small
"""

RETURN = r"""
plan:
  description: >-
    Lists C(keep), C(finish), C(create) and C(remove), sentences C(told), and C(short), why there will be fewer.
  type: dict
  returned: always
allowed:
  description: Burst servers that the quota lets there be, those that are there included; null without limit.
  type: int
  returned: always
image:
  description: >-
    The image to make servers from, with C(id), C(name) and C(release); empty when none is needed or published.
  type: dict
  returned: always
"""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import burst_plan, cloud_images
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

PLACE = {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}}


def servers(connection: Any) -> tuple[burst_plan.Server, ...]:
    """List the servers that scaling made, half-built ones too, and no other server of the project."""
    return tuple(
        burst_plan.Server(
            id=each.id,
            name=each.name,
            status=each.status,
            created=each.created_at or "",
            state=each.metadata[burst_plan.STATE],
        )
        for each in connection.compute.servers()
        if burst_plan.STATE in each.metadata
    )


def room(connection: Any) -> burst_plan.Room:
    """Ask what the project's quota leaves (Compute API, "Show rate and absolute limits"; -1 is without limit)."""
    absolute = connection.compute.get_limits().absolute

    def left(most: int | None, used: int | None) -> int | None:
        return None if most is None or most < 0 else most - (used or 0)

    return burst_plan.Room(
        servers=left(absolute.instances, absolute.instances_used),
        cores=left(absolute.total_cores, absolute.total_cores_used),
        ram_mib=left(absolute.total_ram, absolute.total_ram_used),
    )


def images(connection: Any) -> list[dict[str, str]]:
    """List the published images of application servers, newest first."""
    return [
        {"id": each.id, "name": each.name, "release": each.properties.get(cloud_images.RELEASE, "")}
        for each in cloud_images.images(connection, role="was", published=True)
        if each.status == "active"
    ]


def chosen(found: list[dict[str, str]], release: str) -> dict[str, str]:
    """Choose the newest image of the release, else the newest."""
    return next((each for each in found if each["release"] == release), found[0] if found else {})


OPTIONS = CLOUD_OPTIONS | {
    "direction": {"type": "str", "choices": ["out", "into", "look"], "required": True},
    "wanted": {"type": "int", "required": True},
    "floor": {"type": "int", "default": 0},
    "ceiling": {"type": "int", "required": True},
    "places": {"type": "list", "elements": "dict", "required": True, "options": PLACE},
    "down": {"type": "list", "elements": "str", "default": []},
    "flavor": {"type": "str", "required": True},
    "release": {"type": "str", "default": ""},
}


def look(connection: Any, asked: dict[str, Any]) -> tuple[burst_plan.Situation, list[dict[str, str]]]:
    """Ask everything at once; return the situation, and the published images."""
    connection.authorize()
    with ThreadPoolExecutor(4) as pool:
        flavour = pool.submit(connection.compute.find_flavor, asked["flavor"], ignore_missing=False)
        there, left = pool.submit(servers, connection), pool.submit(room, connection)
        published = pool.submit(images, connection) if asked["direction"] == "out" else None
        situation = burst_plan.Situation(
            servers=there.result(),
            places=tuple(burst_plan.Place(each["name"], each["address"]) for each in asked["places"]),
            down=frozenset(asked["down"]),
            room=left.result(),
            cores_each=flavour.result().vcpus,
            ram_mib_each=flavour.result().ram,
        )
        return situation, published.result() if published else []


def written(plan: burst_plan.Plan) -> dict[str, Any]:
    """Write a plan as the lists that module cloud_burst takes."""
    lists = {"keep": plan.keep, "finish": plan.finish, "remove": plan.remove}
    return {
        **{name: [{"name": each.name, "id": each.id} for each in entries] for name, entries in lists.items()},
        "create": [dataclasses.asdict(place) for place in plan.create],
        "told": list(plan.told),
        "short": plan.short,
    }


DECIDE = {"out": burst_plan.out, "into": burst_plan.into, "look": burst_plan.look}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    asked = module.params
    situation, published = work_with(module, lambda connection: look(connection, asked), "Nothing was changed.")
    try:
        plan = DECIDE[asked["direction"]](situation, asked["wanted"], asked["floor"], asked["ceiling"])
    except burst_plan.RefusedError as refusal:
        module.fail_json(msg=str(refusal))
    image = chosen(published, asked["release"]) if plan.create or plan.finish else {}
    if plan.create and not image:
        module.fail_json(
            msg=f"{len(plan.create)} burst servers are to be made and cloud {asked['cloud']} has no published image; "
            "make one: ansible-playbook playbooks/bake_image.yml"
        )
    module.exit_json(changed=False, plan=written(plan), allowed=situation.allowed, image=image)


if __name__ == "__main__":
    main()
