"""Be the worker's process: stop on signals, and begin anew in the same process id when the place is lost."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from runner.errors import StoreUnavailable
from runner.service.wake import wake
from runner.worker.loop import Ended, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from runner.worker.loop import Options

log = logging.getLogger("runner.worker")


def begin_anew() -> None:
    """Replace this process by a fresh one with the same command: no thread of a fenced life goes on."""
    logging.shutdown()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 the very command we were started with


def leave(code: int) -> None:
    """End the process at once: threads of interrupted jobs may wait for ever."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve(options: Options, restart: Callable[[], None] = begin_anew, end: Callable[[int], None] = leave) -> None:
    """Work until SIGTERM or SIGINT, then end the process. Call it in the main thread of a process of its own.

    A second signal does not wait for what runs. When the place is lost, `restart` is called; see `begin_anew`.
    """
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        wake(options.state_dir)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    try:
        ended = run(options, stop)
    except StoreUnavailable as error:
        log.error("event=worker_failed error=%s", error)  # noqa: TRY400 the message says it all
        options.executor.close()
        end(1)
        return
    log.info("event=worker_ended why=%s", ended)
    options.executor.close()
    if ended is Ended.FENCED:
        restart()
    end(0)
