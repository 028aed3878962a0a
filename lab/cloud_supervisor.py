"""Talk to the cloud's supervisor over its socket."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from typing import TYPE_CHECKING, Any, cast

from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path

# Runs once in the life of a cloud, and ends.
BOOTSTRAP = "keystone-bootstrap"

_TIMEOUT_SECONDS = 30


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002  as in the library
        return _Connection(self._path)


def answers(path: Path) -> bool:
    """Tell whether a supervisor answers on this socket."""
    try:
        states(path)
    except LabError:
        return False
    return True


def states(path: Path) -> dict[str, str]:
    """Return each program's state as the supervisor names it (RUNNING, STARTING, BACKOFF, FATAL, ...)."""
    found = cast("list[dict[str, str]]", _call(path, "supervisor.getAllProcessInfo"))
    return {each["name"]: each["statename"] for each in found}


def troubled(path: Path) -> list[str]:
    """Return, as `name (STATE)`, what should run and does not."""
    if not answers(path):
        return ["all of them (the supervisor is silent)"]
    return [
        f"{name} ({state})"
        for name, state in states(path).items()
        if state in {"BACKOFF", "FATAL", "EXITED"} and name != BOOTSTRAP
    ]


def begin(path: Path, name: str) -> None:
    """Start one program without waiting for it."""
    _call(path, "supervisor.startProcess", name, False)


def begin_failed(path: Path) -> list[str]:
    """Start again what the supervisor has given up, and return the names."""
    given_up = [name for name, state in states(path).items() if state == "FATAL"]
    for name in given_up:
        begin(path, name)
    return given_up


def _call(path: Path, method: str, *arguments: str | bool) -> object:
    proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path))
    try:
        return getattr(proxy, method)(*arguments)
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"The cloud's supervisor does not answer on {path} ({error}); run `make lab`.") from error
    except xmlrpc.client.Fault as error:
        raise LabError(f"The cloud's supervisor refused {method}{arguments}: {error.faultString}.") from error
