"""Tell a run as short events, and count what came of it, out of what ansible-runner reports."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from runner.execute.request import EventKind, PlaybookEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from runner.execute.scrub import Scrub
    from runner.model import Scalar

LONGEST_TEXT = 500
RESULTS: Mapping[str, EventKind] = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}
COUNTS = {"ok": "ok", "changed": "changed", "failures": "failures", "dark": "unreachable", "skipped": "skipped"}


@dataclasses.dataclass(slots=True)
class Story:
    """Takes events in order (one thread) and keeps what an outcome needs."""

    on_event: Callable[[PlaybookEvent], None]
    scrub: Scrub
    clock: Callable[[], datetime]
    first_task_at: datetime | None = None
    counts: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    results: dict[str, Scalar] = dataclasses.field(default_factory=dict)
    troubles: list[tuple[str, EventKind, str]] = dataclasses.field(default_factory=list)  # host, what, a sentence's end
    last_error: str = ""  # what Ansible itself complained about
    ran_somewhere: bool = False

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event of ansible-runner."""
        name = str(event.get("event", ""))
        data = event.get("event_data") or {}
        if name in RESULTS:
            self._result(RESULTS[name], data)
        elif name == "playbook_on_play_start":
            self._tell("play", str(data.get("name") or data.get("pattern") or ""))
        elif name == "playbook_on_task_start":
            self.first_task_at = self.first_task_at or self.clock()
            self._tell("task", str(data.get("name") or data.get("task") or ""), task=_text(data.get("task")))
        elif name == "playbook_on_no_hosts_matched":
            self._tell("note", f"The play {data.get('play') or ''!s} matched no host.")
        elif name == "playbook_on_stats":
            self._stats(data)
        elif name in {"error", "verbose", "warning"} and "ERROR" in str(event.get("stdout", "")):
            self.last_error = self._short(str(event["stdout"]))

    @property
    def trouble(self) -> str:
        """Return what first ended a host's part, as a sentence's end; empty when nothing did.

        What was rescued or ignored ended nothing: the counts at the end tell, where the run came to its end.
        """
        if not self.counts:
            return self.troubles[0][2] if self.troubles else ""
        fatal: dict[str, str] = {}
        for host, kind, text in self.troubles:
            counts = self.counts.get(host, {})
            if counts.get("failures" if kind == "failed" else "unreachable"):
                fatal.pop(host, None)  # an earlier one of this host was rescued: the last one ended it
                fatal[host] = text
        return next(iter(fatal.values()), "")

    def note(self, text: str) -> None:
        """Add a line of the runner's own."""
        self._tell("note", text)

    def _result(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        result = data.get("res") or {}
        self.ran_somewhere = self.ran_somewhere or kind != "unreachable"
        if kind == "ok" and result.get("changed"):
            kind = "changed"
        message = _message(result)
        host, task = _text(data.get("host")), _text(data.get("task"))
        if kind in {"failed", "unreachable"} and not data.get("ignore_errors"):
            self.troubles.append((host or "", kind, self._short(f"{task} {kind} on {host}: {message or 'no message'}")))
        self._tell(kind, message, host, task)

    def _stats(self, data: Mapping[str, Any]) -> None:
        for source, name in COUNTS.items():
            for host, count in (data.get(source) or {}).items():
                self.counts.setdefault(host, dict.fromkeys(COUNTS.values(), 0))[name] = int(count)
        for key, value in (data.get("artifact_data") or {}).items():
            if isinstance(value, str):
                self.results[key] = self.scrub(value)
            elif isinstance(value, int | float):
                self.results[key] = value
        told = ", ".join(f"{host}: {_counted(counts)}" for host, counts in sorted(self.counts.items()))
        self._tell("stats", told or "no host")

    def _tell(self, kind: EventKind, text: str, host: str | None = None, task: str | None = None) -> None:
        shown = self.scrub(task) if task else task
        self.on_event(PlaybookEvent(self.clock(), kind, self._short(text), host, shown))

    def _short(self, text: str) -> str:
        # Scrub before cutting: half a secret would not be recognised.
        clean = " ".join(self.scrub(text).split())
        return clean if len(clean) <= LONGEST_TEXT else clean[: LONGEST_TEXT - 1] + "…"


def _message(result: Mapping[str, Any]) -> str:
    if result.get("censored") or result.get("_ansible_no_log"):
        return "hidden by no_log"
    parts = [str(result[key]) for key in ("msg", "stderr", "module_stderr", "reason") if result.get(key)]
    return " ".join(dict.fromkeys(parts))


def _counted(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in counts.items() if count) or "nothing"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
