"""Start one Ansible program under a guard: in the preloaded process when it answers, as an ordinary program otherwise.

Run as `python -I -S -c BOOT <watch file> <socket or -> <ansible program> <arguments>`: no site-packages, a few
milliseconds. Exit code: the program's.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys
from pathlib import Path

from runner.execute.guard import Watch, child_of_guard, guard

ROOT = Path(__file__).parents[2]
BOOT = (
    f"import sys;sys.path.insert(0,{str(ROOT)!r});from runner.execute.launch import main;sys.exit(main(sys.argv[1:]))"
)
PRELOADED = ("ansible-playbook", "ansible-inventory")


def command(watch: Path, address: str, program: list[str]) -> list[str]:
    """Return the command that runs an Ansible program under a guard."""
    return [sys.executable, "-I", "-S", "-c", BOOT, str(watch), address, *program]


def main(arguments: list[str]) -> int:
    """Run it to its end."""
    watch, address, *program = arguments
    if address != "-" and program[0] in PRELOADED:
        code = _preloaded(address, watch, program)
        if code is not None:
            return code
    return guard(Watch.read(Path(watch)), lambda: _ordinary(program))


def _preloaded(address: str, watch: str, program: list[str]) -> int | None:
    """Let the preloaded process do it with this process's own input and output. None: it is not there."""
    request = {"watch": watch, "program": program, "environment": dict(os.environ), "folder": str(Path.cwd())}
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
            text = json.dumps(request).encode() + b"\n"
            sent = connection.sendmsg([text], rights)
            connection.sendall(text[sent:])
            if connection.recv(1) != b"+":  # a guard was born and has the request: from here it is its run
                return None
        except OSError:
            return None
        answer = connection.recv(1)
        return answer[0] if answer else 98  # the guard itself was killed


def _ordinary(program: list[str]) -> int:
    pid = os.fork()
    if pid == 0:
        child_of_guard()
        try:
            os.execvp(program[0], program)  # noqa: S606 - a program by its list of arguments
        except OSError as error:
            os.write(2, f"{program[0]} cannot be started: {error}.\n".encode())
        finally:
            os._exit(127)
    return pid
