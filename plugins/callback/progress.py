# SPDX-License-Identifier: GPL-3.0-or-later
"""Show an Ansible run as steps with elapsed time, and what is being waited for."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: progress
type: stdout
short_description: Steps, elapsed time, and what is being waited for
version_added: "0.1.0"
author: The Understudy authors
description:
  - One line per task, with the time since the start and how many hosts changed. A task that takes longer than two
    seconds shows the hosts or items it waits for, in place on a terminal and every ten seconds in a log. Failures are
    shown whole.
requirements:
  - set as stdout callback in configuration
"""

QUIET_SECONDS = 2.0  # shorter tasks need no sign of life
LOG_EVERY_SECONDS = 10.0  # how often a log without a terminal gets one
SECRET = "hidden by no_log"  # noqa: S105 - what is shown instead of one


def told(result: dict[str, Any]) -> str:
    """Say what a failed result says: message, then the ends of its output streams."""
    if result.get("censored"):
        return SECRET
    parts = [str(result.get("msg", "no message"))]
    for stream in ("module_stderr", "stderr", "module_stdout", "stdout"):
        text = str(result.get(stream) or "").strip()
        if text and text not in parts[0]:
            parts.append(f"{stream}: " + "\n    ".join(text.splitlines()[-15:]))
    return "\n    ".join(parts)


class Task:
    """What is known of the running task."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = time.monotonic()
        self.running: dict[str, str] = {}
        self.counts = {"ok": 0, "changed": 0, "skipped": 0, "failed": 0}

    def worth_a_line(self) -> bool:
        """Tell whether it did anything that a person follows; checked arguments only count when they are wrong."""
        done = sum(self.counts.values()) > 0
        return done and (self.counts["failed"] > 0 or "Validating arguments against arg spec" not in self.name)

    def waits_for(self) -> str:
        """Name up to four hosts, with the item each is at."""
        names = [f"{host} ({item})" if item else host for host, item in self.running.items()]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

    def verdict(self) -> str:
        """Sum the results up in one word or two."""
        if self.counts["failed"]:
            return "FAILED"
        if self.counts["changed"]:
            return f"changed {self.counts['changed']}" if self.counts["changed"] > 1 else "changed"
        return "ok" if self.counts["ok"] else "skipped"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible ships no types
    """Print steps as they end, and a sign of life while they last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "understudy.hybrid.progress"

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._task: Task | None = None
        self._lock = threading.Lock()
        self._terminal = sys.stdout.isatty()
        self._ended = threading.Event()
        self._ticker: threading.Thread | None = None

    def _say(self, text: str) -> None:
        clear = "\r\x1b[K" if self._terminal else ""
        sys.stdout.write(f"{clear}[{time.monotonic() - self._started:6.1f} s] {text}\n")
        sys.stdout.flush()

    def _tick(self) -> None:
        logged = time.monotonic()
        while not self._ended.wait(0.5):
            with self._lock:
                task, now = self._task, time.monotonic()
                if task is None or now - task.started < QUIET_SECONDS:
                    continue
                sign = f"... {task.name} ({now - task.started:.0f} s)"
                sign += f", waiting for {task.waits_for()}" if task.running else ""
                if self._terminal:
                    sys.stdout.write(f"\r\x1b[K[{now - self._started:6.1f} s] {sign[:150]}")
                    sys.stdout.flush()
                elif now - max(logged, task.started) >= LOG_EVERY_SECONDS:
                    logged = now
                    self._say(sign)

    def _end_task(self) -> None:
        with self._lock:
            task, self._task = self._task, None
            if task and task.worth_a_line():
                took = time.monotonic() - task.started
                self._say(f"{task.verdict():<10} {task.name}" + (f"  ({took:.1f} s)" if took >= QUIET_SECONDS else ""))

    def v2_playbook_on_start(self, playbook: Any) -> None:  # noqa: ARG002 - Ansible's signature
        """Start the sign of life."""
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Head a new play."""
        self._end_task()
        with self._lock:
            self._say(f"== {play.get_name().strip()}")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 - Ansible's signature
        """Begin a task."""
        self._end_task()
        with self._lock:
            self._task = Task(task.get_name().strip())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Begin a handler, which is a task like any other here."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:  # noqa: ARG002 - Ansible's signature
        """Note which host is being waited for."""
        with self._lock:
            if self._task:
                self._task.running[host.get_name()] = ""

    def _result(self, result: Any, kind: str) -> None:
        with self._lock:
            if self._task:
                self._task.running.pop(result.host.get_name(), None)
                self._task.counts[kind] += 1

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count a host that is done."""
        self._result(result, "changed" if result.result.get("changed") else "ok")

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Count a host that had nothing to do."""
        self._result(result, "skipped")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Show a failure whole."""
        self._result(result, "ok" if ignore_errors else "failed")
        if not ignore_errors and "results" not in result.result:
            with self._lock:
                self._say(f"FAILED     {result.task_name.strip()} on {result.host.get_name()}: {told(result.result)}")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Say which host does not answer, and why."""
        self._result(result, "failed")
        with self._lock:
            self._say(f"NO ANSWER  {result.host.get_name()}: {told(result.result)}")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Show the failed item of a loop."""
        with self._lock:
            label = result.result.get("_ansible_item_label", "")
            self._say(
                f"FAILED     {result.task_name.strip()} on {result.host.get_name()}, {label}: {told(result.result)}"
            )

    def v2_runner_retry(self, result: Any) -> None:
        """Show how often a wait has been repeated."""
        with self._lock:
            if self._task:
                tries = f"try {result.result.get('attempts')} of {result.result.get('retries')}"
                self._task.running[result.host.get_name()] = tries

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Say that a play found nobody to work on."""
        with self._lock:
            self._say("no hosts matched")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Close with one line."""
        self._end_task()
        self._ended.set()
        hosts = sorted(stats.processed)
        bad = [host for host in hosts if stats.failures.get(host) or stats.dark.get(host)]
        changed = sum(stats.changed.get(host, 0) for host in hosts)
        with self._lock:
            self._say(f"== {'FAILED on ' + ', '.join(bad) if bad else 'done'}: {len(hosts)} hosts, {changed} changed")
