#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring all files, directories and links of a role to their state in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Bring all files, directories and links of a role to their state in one round trip
version_added: "0.1.0"
author: The Understudy authors
description:
  - Does for a list what M(ansible.builtin.template), M(ansible.builtin.copy) and M(ansible.builtin.file) do for one
    path. A round trip costs a fifth of a second of two cores per host, whatever it carries, and roles here write many
    small files.
  - New contents are all written beside their places and validated before the first of them is moved there, so a
    wrong one leaves everything as it was.
  - Entries are worked on in the order of the list. Parents are not made by themselves.
options:
  files:
    description: What is to be there, in order.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it is.
        type: path
        required: true
      state:
        description: What it is.
        type: str
        choices: [file, directory, link, absent]
        default: file
      template:
        description: For a file, name of a template of the role.
        type: str
      source:
        description: For a file, name of a file of the role.
        type: str
      content:
        description: For a file, its text.
        type: str
      bytes:
        description: For a file, its content in base64. The action plugin fills it in from the three before.
        type: str
      target:
        description: For a link, what it points at. The link is replaced in one step.
        type: str
      owner:
        description: User that owns it, if another than O(owner).
        type: str
      group:
        description: Group that owns it, if another than O(group).
        type: str
      mode:
        description: Permissions, octal in quotes. Files get C(0644), directories C(0755) by default.
        type: str
      validate:
        description: Command that must succeed on the new content, C(%s) is its path.
        type: str
      no_diff:
        description: Do not show what changed.
        type: bool
        default: false
  owner:
    description: User that owns everything that names none.
    type: str
    default: root
  group:
    description: Group that owns everything that names none.
    type: str
    default: root
"""

EXAMPLES = r"""
- name: Write the configuration
  understudy.hybrid.files:
    files:
      - {path: /etc/thing, state: directory}
      - {path: /etc/thing/thing.conf, template: etc/thing/thing.conf.j2, validate: thing --check %s}
"""

RETURN = r"""
changed_paths:
  description: Paths that were changed, in order.
  type: list
  elements: str
  returned: always
"""

import base64
import grp
import os
import pwd
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ENTRY = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["file", "directory", "link", "absent"], "default": "file"},
    "template": {"type": "str"},
    "source": {"type": "str"},
    "content": {"type": "str"},
    "bytes": {"type": "str"},
    "target": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str"},
    "validate": {"type": "str"},
    "no_diff": {"type": "bool", "default": False},
}


def missing_account(entry: dict[str, Any]) -> bool:
    """Tell whether a check run speaks of a user or group that a real run would have made before."""
    try:
        pwd.getpwnam(entry["owner"])
        grp.getgrnam(entry["group"])
    except KeyError:
        return True
    return False


class Landing:
    """The work on one host: what is staged, what changed, what it looked like."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.changed: list[str] = []
        self.diffs: list[dict[str, Any]] = []
        self.staged: dict[str, str] = {}

    def note(self, path: str, *, before: str = "", after: str = "", hidden: bool = False) -> None:
        """Record one change and how to show it."""
        if path not in self.changed:
            self.changed.append(path)
        if not hidden:
            self.diffs.append({"before_header": path, "after_header": path, "before": before, "after": after})

    def attributes(self, entry: dict[str, Any]) -> None:
        """Set owner, group and mode."""
        path = entry["path"]
        if self.module.check_mode and (not os.path.lexists(path) or missing_account(entry)):
            self.note(path, hidden=True)
            return
        wanted = {name: entry[name] for name in ("owner", "group", "mode")} | {"path": path}
        arguments = self.module.load_file_common_arguments(wanted)
        if self.module.set_fs_attributes_if_different(arguments, changed=False):
            self.note(path, hidden=True)

    def stage(self, entry: dict[str, Any]) -> None:
        """Write a new content aside and validate it; nothing when the file has it already."""
        path, wanted = Path(entry["path"]), base64.b64decode(entry["bytes"])
        if path.is_dir() and not path.is_symlink():
            self.module.fail_json(msg=f"{path} is a directory; expected a file. Move it away, then run this again.")
        if path.is_file() and not path.is_symlink() and path.read_bytes() == wanted:
            return
        handle, name = tempfile.mkstemp(prefix="files-", dir=self.module.tmpdir)
        with os.fdopen(handle, "wb") as stream:
            stream.write(wanted)
        self.staged[str(path)] = name
        command = shlex.split(entry["validate"] or "")
        if not command or (self.module.check_mode and not shutil.which(command[0])):
            return
        Path(name).chmod(0o600 if entry["no_diff"] else 0o644)
        code, said, complaint = self.module.run_command([part.replace("%s", name) for part in command])
        if code != 0:
            self.module.fail_json(
                msg=f"The new content of {path} is not valid, and nothing was changed: {(complaint or said).strip()}",
                path=str(path),
                rc=code,
            )

    def file(self, entry: dict[str, Any]) -> None:
        """Move a staged content to its place."""
        path = Path(entry["path"])
        name = self.staged.get(str(path))
        if name:
            before = path.read_bytes() if path.is_file() else b""
            hidden = entry["no_diff"] or not self.module._diff  # noqa: SLF001 - Ansible offers no public name
            self.note(
                str(path),
                before=before.decode(errors="replace"),
                after=base64.b64decode(entry["bytes"]).decode(errors="replace"),
                hidden=hidden,
            )
            if not self.module.check_mode:
                if path.is_symlink():
                    path.unlink()
                self.own(name, entry)
                self.module.atomic_move(name, str(path), keep_dest_attrs=False)
        self.attributes(entry)

    def own(self, name: str, entry: dict[str, Any]) -> None:
        """Give a staged file its owner and mode before it is in its place, so that a secret is never seen there."""
        wanted = {part: entry[part] for part in ("owner", "group", "mode")} | {"path": name}
        self.module.set_fs_attributes_if_different(self.module.load_file_common_arguments(wanted), changed=False)

    def directory(self, entry: dict[str, Any]) -> None:
        """Make a directory."""
        path = Path(entry["path"])
        if not path.is_dir():
            if path.exists():
                self.module.fail_json(msg=f"{path} exists and is no directory. Move it away, then run this again.")
            self.note(str(path), before="absent\n", after="directory\n")
            if not self.module.check_mode:
                path.mkdir(mode=0o700)
        self.attributes(entry)

    def link(self, entry: dict[str, Any]) -> None:
        """Point a symbolic link, in one step."""
        path, target = Path(entry["path"]), entry["target"]
        if not target:
            self.module.fail_json(msg=f"{path} is a link without a target. Say what it points at.")
        if path.is_dir() and not path.is_symlink():
            self.module.fail_json(msg=f"{path} is a directory; expected a link. Move it away, then run this again.")
        before = str(path.readlink()) if path.is_symlink() else ""
        if before == target:
            return
        self.note(str(path), before=f"{before}\n", after=f"{target}\n")
        if not self.module.check_mode:
            aside = path.with_name(f".{path.name}.new")
            aside.unlink(missing_ok=True)
            aside.symlink_to(target)
            aside.rename(path)

    def absent(self, entry: dict[str, Any]) -> None:
        """Remove a file, a link, or a directory with all that is in it."""
        path = Path(entry["path"])
        if not os.path.lexists(path):
            return
        self.note(str(path), before="present\n", after="absent\n")
        if self.module.check_mode:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def main() -> None:
    """Stage and validate every content, then bring every entry to its state."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
        },
        supports_check_mode=True,
    )
    landing = Landing(module)
    entries = module.params["files"]
    for entry in entries:
        entry["owner"] = entry["owner"] or module.params["owner"]
        entry["group"] = entry["group"] or module.params["group"]
        entry["mode"] = entry["mode"] or ("0755" if entry["state"] == "directory" else "0644")
        if entry["state"] == "file":
            if entry["bytes"] is None:
                module.fail_json(msg=f"{entry['path']} came without content: call this as understudy.hybrid.files.")
            landing.stage(entry)
    for entry in entries:
        getattr(landing, entry["state"])(entry)
    result: dict[str, Any] = {"changed": bool(landing.changed), "changed_paths": landing.changed}
    if module._diff:  # noqa: SLF001 - Ansible offers no public name
        result["diff"] = landing.diffs
    module.exit_json(**result)


if __name__ == "__main__":
    main()
