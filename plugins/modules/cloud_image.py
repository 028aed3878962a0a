#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take an image of a server, publish it, find the newest, or remove what was made for one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_image
short_description: Take an image of a server, publish it, find the newest, or remove unpublished ones
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - C(taken) stops the server and makes an image of it, which nobody uses yet. C(published) says of an image that
    servers may be made from it, and deletes the oldest published ones beyond O(keep). C(cleared) deletes every image of
    the role that was not published, and every server that O(makers) names. C(found) looks for the newest published
    image of O(release), and changes nothing.
options:
  state:
    description: What is to be done.
    type: str
    choices: [taken, published, cleared, found]
    required: true
  role:
    description: What the hosts are for that are made from the image. Images of other roles are left alone.
    type: str
    choices: [was, database]
    default: was
  server:
    description: Id of the server, for C(taken).
    type: str
    default: ""
  name:
    description: Name of the image, for C(taken).
    type: str
    default: ""
  image:
    description: Id of the image, for C(published).
    type: str
    default: ""
  release:
    description: What is in the image, for C(taken) and C(found), such as the release of the application.
    type: str
    default: ""
  keep:
    description: How many published images stay, for C(published).
    type: int
    default: 3
  makers:
    description: Names of the servers that images are made and tried with, for C(cleared).
    type: list
    elements: str
    default: []
  timeout_seconds:
    description: How long all of it may take.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Take an image
  understudy.hybrid.cloud_image:
    cloud: lab
    state: taken
    server: 5f1c1e3e-6a0c-4a8e-9a55-3a3f0a7a4d5b
    name: was-1.4.0-20261224-1800
    release: 1.4.0
"""

RETURN = r"""
image:
  description: Id of the image that was taken, published or found; empty when none was found.
  type: str
  returned: always
name:
  description: Name of the image that was found.
  type: str
  returned: always
removed:
  description: Names of images and servers that were removed.
  type: list
  elements: str
  returned: always
"""

import time
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import cloud_images
from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.5


class LateError(Exception):
    """Say what did not happen in time."""


class Work:
    """What one run does with the cloud."""

    def __init__(self, module: AnsibleModule, connection: Any) -> None:
        self.asked: dict[str, Any] = module.params
        self.connection = connection
        self.deadline = time.monotonic() + self.asked["timeout_seconds"]
        self.image = ""
        self.name = ""
        self.removed: list[str] = []

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        while not condition():
            if time.monotonic() > self.deadline:
                raise LateError(f"{what}: not within {self.asked['timeout_seconds']} s.")
            time.sleep(POLL_SECONDS)

    def taken(self) -> bool:
        """Stop the server, so that its disk is at rest, and take the image."""
        compute, server = self.connection.compute, self.asked["server"]
        if compute.get_server(server).status != "SHUTOFF":
            compute.stop_server(server)
            self._until(lambda: compute.get_server(server).status == "SHUTOFF", "The server stops")
        metadata = cloud_images.properties(self.asked["role"], self.asked["release"])
        made = compute.create_server_image(server, name=self.asked["name"], metadata=metadata)
        self.image = made.id
        self._until(self._active, f"Image {self.asked['name']} becomes active")
        return True

    def _active(self) -> bool:
        image = self.connection.image.get_image(self.image)
        if image.status in {"killed", "deleted"}:
            raise LateError(f"Image {image.name} is {image.status}; the log of the cloud's Compute service says why.")
        return bool(image.status == "active")

    def _images(self, *, published: bool) -> list[Any]:
        return cloud_images.images(self.connection, role=self.asked["role"], published=published)

    def found(self) -> bool:
        """Look for the newest published image of the release."""
        image = cloud_images.newest(self.connection, role=self.asked["role"], release=self.asked["release"])
        self.image, self.name = (image.id, image.name) if image else ("", "")
        return False

    def published(self) -> bool:
        """Publish the image; delete the oldest of the others."""
        self.image = self.asked["image"]
        self.connection.image.update_image(self.image, **{cloud_images.PUBLISHED: "yes"})
        for old in self._images(published=True)[self.asked["keep"] :]:
            self.connection.image.delete_image(old.id, ignore_missing=True)
            self.removed.append(old.name)
        return True

    def cleared(self) -> bool:
        """Delete makers and unpublished images."""
        makers = [each for each in self.connection.compute.servers() if each.name in self.asked["makers"]]
        for server in makers:
            self.connection.compute.delete_server(server.id, ignore_missing=True)
            self.removed.append(server.name)
        names = {server.id for server in makers}
        self._until(
            lambda: not names & {each.id for each in self.connection.compute.servers()},
            f"Deletion of {', '.join(self.removed)}",
        )
        for image in self._images(published=False):
            self.connection.image.delete_image(image.id, ignore_missing=True)
            self.removed.append(image.name)
        return bool(self.removed)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=CLOUD_OPTIONS
        | {
            "state": {"type": "str", "choices": ["taken", "published", "cleared", "found"], "required": True},
            "role": {"type": "str", "choices": list(cloud_images.ROLES), "default": "was"},
            "server": {"type": "str", "default": ""},
            "name": {"type": "str", "default": ""},
            "image": {"type": "str", "default": ""},
            "release": {"type": "str", "default": ""},
            "keep": {"type": "int", "default": 3},
            "makers": {"type": "list", "elements": "str", "default": []},
            "timeout_seconds": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    if module.check_mode and module.params["state"] != "found":
        module.exit_json(changed=module.params["state"] != "cleared", image="", name="", removed=[])

    def carry_out(connection: Any) -> tuple[bool, Work]:
        work = Work(module, connection)
        acts = {"taken": work.taken, "published": work.published, "cleared": work.cleared, "found": work.found}
        return acts[module.params["state"]](), work

    try:
        changed, work = work_with(module, carry_out, "Published images are as they were.")
    except LateError as late:
        module.fail_json(msg=f"{late} Published images are as they were; run this again.")
    module.exit_json(changed=changed, image=work.image, name=work.name, removed=work.removed)


if __name__ == "__main__":
    main()
