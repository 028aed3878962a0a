"""Ask several clouds at once, each under its own time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import TwoSitesError
from .servers import Server

Ask = Callable[[float], tuple[Server, ...]]


@dataclass(frozen=True, slots=True)
class Silence:
    """No complete list, and why."""

    cause: str


@dataclass(slots=True)
class _Asking:
    thread: threading.Thread
    deadline: float
    timeout_seconds: float
    outcome: list[tuple[Server, ...] | Silence] = field(default_factory=list)


def ask_all(questions: Mapping[str, tuple[Ask, float]]) -> dict[str, tuple[Server, ...] | Silence]:
    """Give every cloud's list or silence; `questions` hold how to ask and for how many seconds.

    A thread that is still busy at its limit is left behind: nobody reads what it brings later, and being a
    daemon it does not hold up the end of the process.
    """
    asking = {name: _start(name, ask, seconds) for name, (ask, seconds) in questions.items()}
    return {name: _wait(each) for name, each in asking.items()}


def _start(name: str, ask: Ask, timeout_seconds: float) -> _Asking:
    deadline = time.monotonic() + timeout_seconds

    def run() -> None:
        try:
            outcome.append(ask(deadline))
        except TwoSitesError as error:
            outcome.append(Silence(str(error)))

    thread = threading.Thread(target=run, name=f"two_sites {name}", daemon=True)
    asking = _Asking(thread, deadline, timeout_seconds)
    outcome = asking.outcome
    thread.start()
    return asking


def _wait(asking: _Asking) -> tuple[Server, ...] | Silence:
    asking.thread.join(max(0.0, asking.deadline - time.monotonic()))
    if asking.outcome:
        return asking.outcome[0]
    if asking.thread.is_alive():
        return Silence(f"no complete answer within {asking.timeout_seconds:g} s")
    return Silence("its thread ended without an answer, which is a defect of the plugin")
