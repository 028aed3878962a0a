# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold Ansible ready: import it once, fork for each run. Source of the idea: ../../docs/decisions/0006.

A program of its own (`python -m runner.execute.preload SOCKET`), started and ended by `preloaded`. It holds no secret
and no state of a run: each run lives in a fork of it, under a guard.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import random
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from ansible import cli as ansible_cli
from ansible import constants
from ansible.cli.inventory import InventoryCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.executor import module_common, playbook_executor, task_executor
from ansible.plugins import loader as loaders

from runner.execute.guard import Watch, child_of_guard, guard

PROGRAMS = {"ansible-playbook": PlaybookCLI, "ansible-inventory": InventoryCLI}
LARGEST_REQUEST = 262_144
WARM = (module_common, playbook_executor, task_executor)  # imported for what their import does


def serve(address: Path) -> None:
    """Answer runs until standard input ends (the process that started this one is gone)."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        address.chmod(0o600)
        listener.listen(64)
        threading.Thread(target=_end_with_parent, args=(address,), daemon=True).start()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended guards leave no zombies
        os.write(1, b"ready\n")
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os._exit(_one_run(connection))
            connection.close()


def warm() -> None:
    """Do once what every run would do: find collections, import every plugin Ansible looks through, build parsers."""
    # Not "vars": once listed, they count as looked through, and group_vars are never read.
    loaders.init_plugin_loader()
    ansible_cli.init_plugin_loader = _done_already
    for each in ("callback", "filter", "test", "inventory", "cache", "connection", "shell", "become"):
        loader = getattr(loaders, f"{each}_loader")
        for _ in loader.all(class_only=True):
            pass
    for loader, names in (
        (loaders.strategy_loader, ("linear", "free")),
        (loaders.action_loader, ("command", "debug", "set_fact", "assert", "copy", "template", "include_role")),
        (loaders.lookup_loader, ("file", "env", "vars", "first_found")),
    ):
        for name in names:
            loader.get(name, class_only=True)
    for name in constants.INVENTORY_ENABLED:
        # An inventory may say what it imports only when it is used: a cloud's SDK takes longer than asking.
        preload = getattr(loaders.inventory_loader.get(name, class_only=True), "preload", None)
        if preload is not None:
            with contextlib.suppress(Exception):  # whatever is wrong is said, with its reason, by the run that needs it
                preload()
    for program in PROGRAMS.values():
        program(["ansible", "-i", "localhost,", "none.yml"]).init_parser()
    gc.collect()
    gc.freeze()  # what is here stays: the collector of a fork need not touch (and so copy) it


def _done_already(*_: Any, **__: Any) -> None:
    """Stand in for work that is done."""


def _end_with_parent(address: Path) -> None:
    os.read(0, 1)
    with contextlib.suppress(OSError):
        address.unlink()
    os._exit(0)


def _one_run(connection: socket.socket) -> int:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        request = _receive(connection)
        environment: dict[str, str] = request["environment"]
        changed = {
            name for name in environment.keys() | os.environ.keys() if environment.get(name) != os.environ.get(name)
        }
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(request["folder"])
        connection.sendall(b"+")
        code = guard(Watch.read(Path(request["watch"])), lambda: _ansible(connection, request["program"], changed))
        connection.sendall(bytes([code & 255]))
    except BaseException:  # noqa: BLE001 - a fork must not go on as the server
        traceback.print_exc()
        return 1
    return 0


def _receive(connection: socket.socket) -> Any:
    """Take over the caller's input and output, and return its request."""
    text, rights, _, _ = connection.recvmsg(LARGEST_REQUEST, socket.CMSG_SPACE(12))
    files = array.array("i")
    files.frombytes(rights[0][2][:12])
    while not text.endswith(b"\n"):
        more = connection.recv(LARGEST_REQUEST)
        if not more:
            raise ConnectionError("The caller went away before it had sent its request.")
        text += more
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    return json.loads(text)


def _ansible(connection: socket.socket, program: list[str], changed: set[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 250
    try:
        child_of_guard()
        connection.close()
        random.seed()
        sys.argv = program
        _apply(changed)
        command = PROGRAMS[program[0]](program)
        command.parse()
        code = command.run() or 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the exit code tells
        sys.stderr.write(f"ERROR! {error}\n")
        code = getattr(error, "_exit_code", None) or 1
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _apply(changed: set[str]) -> None:
    """Let settings follow this run's environment: Ansible read them when it was imported."""
    for name, definition in constants.config.get_configuration_definitions().items():
        if any(entry["name"] in changed for entry in definition.get("env", ())):
            constants.set_constant(name, constants.config.get_config_value(name, variables=vars(constants)))
    for module in list(sys.modules.values()):
        writer = getattr(getattr(module, "event_context", None), "cache", None)
        if writer is not None and hasattr(writer, "private_data_dir"):  # ansible-runner's display callback
            writer.private_data_dir = os.environ.get("AWX_ISOLATED_DATA_DIR")


if __name__ == "__main__":
    warm()
    serve(Path(sys.argv[1]))
