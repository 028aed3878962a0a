#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say how old the newest object of a bucket is, such as the newest WAL that was archived."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_newest_object
short_description: Say how old the newest object of a bucket is
version_added: "0.1.0"
author: The Understudy authors
extends_documentation_fragment: understudy.hybrid.cloud
description:
  - Lists the objects of a bucket in the cloud's object storage. With the prefix of a pgBackRest archive that is the age
    of the newest WAL, which bounds what a restore lacks. The storage's clock and this host's have to agree.
options:
  bucket:
    description: The bucket.
    type: str
    required: true
  prefix:
    description: How the objects' names begin.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Ask how old the newest WAL is that left the colo
  understudy.hybrid.cloud_newest_object:
    cloud: production
    bucket: understudy-backup
    prefix: understudy/archive/
"""

RETURN = r"""
name:
  description: Name of the newest object; empty when there is none.
  type: str
  returned: always
age_seconds:
  description: Its age, not below zero; null when there is none.
  type: float
  returned: always
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.cloud_connection import CLOUD_OPTIONS, work_with

if TYPE_CHECKING:
    from collections.abc import Iterable


def moment(text: str) -> datetime:
    """Read the storage's time, which is UTC and does not say so."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def newest(objects: Iterable[Any], now: datetime) -> dict[str, Any]:
    """Return the name and the age of the object that was written last."""
    found = max(((moment(each.last_modified_at), each.name) for each in objects), default=None)
    if found is None:
        return {"name": "", "age_seconds": None}
    return {"name": found[1], "age_seconds": max(0.0, (now - found[0]).total_seconds())}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **CLOUD_OPTIONS,
            "bucket": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )

    def look(connection: Any) -> dict[str, Any]:
        listed = connection.object_store.objects(module.params["bucket"], prefix=module.params["prefix"])
        return newest(listed, datetime.now(UTC))

    module.exit_json(changed=False, **work_with(module, look, "How new the archive is, is not known."))


if __name__ == "__main__":
    main()
