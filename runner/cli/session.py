"""What a command works with: the world around it, and how it reaches the API."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    import httpx

    from runner.cli.api import Api

DEFAULT_URL = "http://127.0.0.1:8700"
DEFAULT_SECONDS = 10.0


class Unreachable(RunnerError):
    """The API does not answer, or says that it cannot now: the message says what to check."""


class Aborted(RunnerError):
    """A person said no."""


def _ask(question: str) -> bool:
    return typer.confirm(question, err=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """The world of a command. `zone` None: the machine's own. `ask` None: there is no terminal to ask at."""

    environment: Mapping[str, str]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    zone: tzinfo | None = None
    ask: Callable[[str], bool] | None = None
    wait: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None

    @classmethod
    def here(cls) -> Surroundings:
        """Return those of this process."""
        return cls(os.environ, ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None)


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """One call of the command: its surroundings, and the options that stand before the command's name."""

    around: Surroundings
    url: str
    token_file: Path | None
    ca_file: Path | None
    seconds: float = DEFAULT_SECONDS

    def api(self) -> Api:
        """Connect to the API. Raises SettingsError when there is no token to show."""
        # httpx's own command line, which it can do without, loads more than all the rest of it.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        from runner.cli.api import Api  # noqa: PLC0415 - httpx takes a third of a second, and not all commands need it

        return Api.connect(self)

    def confirm(self, question: str, *, sure: bool) -> None:
        """Ask before something that cannot be taken back, where there is a terminal. Raises Aborted."""
        if not sure and self.around.ask is not None and not self.around.ask(question):
            raise Aborted("Nothing was done.")


def opened(
    around: Surroundings, url: str | None, token_file: Path | None, ca_file: Path | None, seconds: float
) -> Session:
    """Return a session: options come first, then the environment."""
    given = around.environment

    def path(name: str) -> Path | None:
        return Path(given[name]) if given.get(name) else None

    return Session(
        around,
        (url or given.get("UNDERSTUDY_URL") or DEFAULT_URL).rstrip("/"),
        token_file or path("UNDERSTUDY_TOKEN_FILE"),
        ca_file or path("UNDERSTUDY_CA_FILE"),
        seconds,
    )


def of(context: typer.Context) -> Session:
    """Return the session of a command's context."""
    found = context.find_object(Session)
    if found is None:
        raise TypeError("The command was called without a session.")
    return found
