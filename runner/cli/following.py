"""Follow a job: its story as it happens, through lost connections, to its end."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from runner.cli import output
from runner.cli.api import Answer
from runner.cli.session import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from runner.cli.api import Api
    from runner.cli.session import Surroundings
    from runner.cli.stream import Event

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
MOST_FAILURES = 20  # in a row: a restart of the runner takes far fewer
END = "end"  # the event that carries the job as it ended
_RESULTS = frozenset({"ok", "changed", "failed", "unreachable", "skipped"})


class Teller(Protocol):
    """Shows what happens."""

    def tell(self, event: Event) -> None:
        """Show one event."""


def follow(api: Api, job_id: str, teller: Teller, wait: Callable[[float], None]) -> Answer:
    """Tell a job's story to its end, and return the job as it ended.

    A connection that breaks off is made anew, from the last event on. Raises Unreachable when that fails for long, and
    NotFound.
    """
    after, failures = 0, 0
    while True:
        try:
            for event in api.events(job_id, after):
                if event.name == END and isinstance(event.data, dict):
                    return Answer(event.text, event.data, {})
                if isinstance(event.data, dict) and event.data.get("number", 0) > after:
                    after, failures = event.data["number"], 0
                    teller.tell(event)
            failures = 0  # ended without the word: so the runner ends long streams, and all when it stops
        except Unreachable:
            if failures >= MOST_FAILURES:
                raise
            failures += 1
        wait(min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))


class Lines:
    """Writes the events as the API sent them, one line each."""

    def tell(self, event: Event) -> None:
        """Write one event."""
        output.as_json(event.text)
        sys.stdout.flush()


@dataclasses.dataclass(slots=True)
class Play:
    """Shows a line for each result, and on a terminal the task that runs now with its time."""

    around: Surroundings
    console: Console
    task: str = ""
    since: datetime | None = None

    def tell(self, event: Event) -> None:
        """Show one event."""
        data = event.data
        kind, at = str(data.get("kind")), datetime.fromisoformat(data["at"])
        if kind == "task":
            self.task, self.since = output.clean(data.get("text")), at
            return
        line = Text(output.clock(data["at"], self.around), "dim")
        line.append("  ")
        if kind in _RESULTS:
            taken = output.span((at - self.since).total_seconds()) if self.since else ""
            line.append(f"{kind:<11}", output.STYLES.get(kind, ""))
            line.append(f" {output.clean(data.get('host')):<14} {output.clean(data.get('task'))}  {taken}")
            if data.get("text"):
                line.append(f"  {output.clean(data['text'])}", "dim")
        else:
            line.append(f"{kind:<11}", "bold" if kind in {"play", "state"} else "")
            line.append(f" {output.clean(data.get('text'))}")
        self.console.print(line, soft_wrap=True)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Keep a last line with the task that runs, where there is a terminal."""
        if not self.console.is_terminal:
            yield
            return
        with Live(get_renderable=self.now, console=self.console, refresh_per_second=4, transient=True):
            yield

    def now(self) -> RenderableType:
        """Return the last line: what runs now, and since when."""
        if self.since is None:
            return Spinner("dots", "waiting for the first task")
        return Spinner("dots", f"{self.task}  {output.span((self.around.clock() - self.since).total_seconds())}")
