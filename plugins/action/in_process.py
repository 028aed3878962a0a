# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of this collection in Ansible's own process, where what it imports is there already.

A module that asks the cloud imports openstacksdk: a second of CPU in a process of its own, at every task. The inventory
has imported it before. meta/runtime.yml says which modules run so. Idea: ansible.netcommon, `import_modules`.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.plugins.action import ActionBase

PROFILE = "legacy"  # how Ansible writes the arguments and the result of every module that does not say otherwise
PREFIX = "understudy.hybrid."


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Call the module's `main` here; elsewhere, or as another user, run it as every module is run.

    Ansible makes a process for each task, which ends with it: what is set here is nobody else's.
    """

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result.

        Raises:
            AnsibleActionFail: The module ended without one.
        """
        super().run(tmp, task_vars)
        if self._connection.transport != "local" or self._play_context.become:
            return dict(self._execute_module(task_vars=task_vars))
        name, arguments = str(self._task.action), dict(self._task.args)
        self._update_module_args(name, arguments, task_vars or {})
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        os.environ |= {key: str(value) for key, value in environment.items()}
        return called(name.removeprefix(PREFIX), arguments)


def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a module of this collection with its arguments; return what it printed, which is its result."""
    encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    decoder = get_module_decoder(PROFILE, Direction.MODULE_TO_CONTROLLER)
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode()  # noqa: SLF001 - see top
    basic._ANSIBLE_PROFILE = PROFILE  # noqa: SLF001 - as above
    module = importlib.import_module(f"ansible_collections.{PREFIX}plugins.modules.{name}")
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        module.main()
    try:
        return dict(json.loads(printed.getvalue(), cls=decoder))
    except ValueError as problem:
        raise AnsibleActionFail(f"Module {name} ended without a result: {printed.getvalue()!r}.") from problem
