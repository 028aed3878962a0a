# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask module `packages` what is missing, and leave it to apt when anything is."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Look first; install only what is missing."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the look said, or what apt did."""
        super().run(tmp, task_vars)
        looked: dict[str, Any] = self._execute_module(
            module_name="understudy.hybrid.packages", module_args=dict(self._task.args), task_vars=task_vars
        )
        if looked.get("failed") or not looked.get("missing"):
            return looked
        wish = {"name": looked["missing"], "state": "present", "install_recommends": False}
        if (policy := self._task.args.get("policy_rc_d")) is not None:
            wish["policy_rc_d"] = policy
        done: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.apt", module_args=wish, task_vars=task_vars
        )
        return done | {"missing": looked["missing"]}
