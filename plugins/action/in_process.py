# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in Ansible's own process, where what it imports is there already.

A module that asks the cloud imports openstacksdk: a second of CPU in a process of its own, at every task. The inventory
has imported it before. The action plugins beside this one that import it are named after modules of this collection;
those of others are named in the task (plugins/modules/in_process.py). Idea: ansible.netcommon, `import_modules`.
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
BY_NAME = "understudy.hybrid.in_process"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Call the module's `main` here; elsewhere, or as another user, run it as every module is run.

    Ansible makes a process for each task, which ends with it: what is set here is nobody else's.
    """

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result.

        Raises:
            AnsibleActionFail: There is no such module, or it ended without a result.
        """
        super().run(tmp, task_vars)
        name, arguments = wanted(str(self._task.action), dict(self._task.args))
        if self._connection.transport != "local" or self._play_context.become:
            return dict(self._execute_module(module_name=name, module_args=arguments, task_vars=task_vars))
        self._update_module_args(name, arguments, task_vars or {})
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        os.environ |= {key: str(value) for key, value in environment.items()}
        return called(name, arguments)


def wanted(action: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return which module is to run with which arguments.

    Raises:
        AnsibleActionFail: The task names none.
    """
    if action != BY_NAME:
        return action, arguments
    name, given = arguments.get("module"), arguments.get("arguments", {})
    if not isinstance(name, str) or name.count(".") != 2 or not isinstance(given, dict):
        raise AnsibleActionFail(
            f"in_process: module is {name!r} and arguments are {given!r}; expected a name such as a.b.c and a mapping."
        )
    return name, dict(given)


def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a module of a collection with its arguments; return what it printed, which is its result."""
    encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    decoder = get_module_decoder(PROFILE, Direction.MODULE_TO_CONTROLLER)
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode()  # noqa: SLF001 - see top
    basic._ANSIBLE_PROFILE = PROFILE  # noqa: SLF001 - as above
    collection, _, short = name.rpartition(".")
    try:
        module = importlib.import_module(f"ansible_collections.{collection}.plugins.modules.{short}")
    except ModuleNotFoundError as problem:
        raise AnsibleActionFail(f"There is no module {name}: {problem}. Run make setup.") from problem
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        module.main()
    try:
        return dict(json.loads(printed.getvalue(), cls=decoder))
    except ValueError as problem:
        raise AnsibleActionFail(f"Module {name} ended without a result: {printed.getvalue()!r}.") from problem
