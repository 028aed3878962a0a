"""Be the web part of `understudy serve`: `python -m runner.cli.web_process PIPE SUPERVISOR`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from runner import settings as all_settings
from runner.cli import asgi, logs, probing, reporting
from runner.errors import PolicyError, RunnerError, SettingsError

if TYPE_CHECKING:
    from runner.settings import Settings


def check_address(settings: Settings) -> None:
    """See that nobody else listens there. Raises SettingsError."""
    trouble = probing.trouble_with(settings.host, settings.port)
    if trouble is not None:
        raise SettingsError(
            f"UNDERSTUDY_LISTEN is {settings.listen!r}, where nothing can be opened ({trouble}); "
            "`ss -ltnp` shows who listens there."
        )


def main(arguments: list[str]) -> None:
    """Serve until told to stop."""
    pipe, supervisor = map(int, arguments)
    reporting.end_with(supervisor)
    logs.configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = all_settings.load(os.environ)
        check_address(settings)
    except SettingsError as error:
        reporting.refuse(pipe, error)
        return
    scheme = "https" if settings.tls_certificate else "http"
    reporting.report(pipe, reporting.ADDRESS, f"{scheme} {settings.host} {settings.port}")
    reporting.give_memory_back()
    try:
        asgi.serve_web(settings, stop)
    except (SettingsError, PolicyError) as error:
        reporting.refuse(pipe, error)
    except RunnerError as error:
        reporting.report(pipe, reporting.REFUSED, str(error))
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
