# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a role's templates on the controller, and hand all of its files to module `files` in one round trip."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader

SOURCES = ("template", "source", "content")


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Turn `template`, `source` and `content` of every entry into the bytes that are to land."""

    TRANSFERS_FILES = False

    def _rendered(self, name: str, task_vars: dict[str, Any]) -> bytes:
        path = self._find_needle("templates", name)
        lookup = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        return str(lookup.run([path], variables=task_vars)[0]).encode()

    def _bytes(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes:
        if "template" in entry:
            return self._rendered(str(entry["template"]), task_vars)
        if "source" in entry:
            return Path(self._loader.get_real_file(self._find_needle("files", str(entry["source"])))).read_bytes()
        return str(entry["content"]).encode()

    def _prepared(self, entry: Any, task_vars: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(entry, dict) or not entry.get("path"):
            raise AnsibleActionFail(f"files: an entry is {entry!r}; expected a mapping with at least 'path'.")
        given = [name for name in SOURCES if name in entry]
        state = entry.get("state", "file")
        if state == "file" and len(given) != 1:
            raise AnsibleActionFail(
                f"files: {entry['path']} has {given or 'no content'}; give exactly one of {', '.join(SOURCES)}."
            )
        if state != "file" and given:
            raise AnsibleActionFail(f"files: {entry['path']} is a {state} and cannot have {given[0]}.")
        prepared = {name: value for name, value in entry.items() if name not in SOURCES}
        if given:
            prepared["bytes"] = base64.b64encode(self._bytes(entry, task_vars)).decode()
        return prepared

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module with every entry's bytes in place of where they come from."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        arguments["files"] = [self._prepared(entry, variables) for entry in arguments.get("files") or []]
        return dict(
            self._execute_module(module_name="understudy.hybrid.files", module_args=arguments, task_vars=variables)
        )
