# SPDX-License-Identifier: GPL-3.0-or-later
"""Start no task after the lease of this node lapsed (the guard ends the run; this closes the moment before it does)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: understudy_lease
type: notification
short_description: Starts no task without a lease
description:
  - Reads the deadline (seconds of CLOCK_BOOTTIME) from the file named by the environment variable
    C(UNDERSTUDY_LEASE) before each task and each host. When it has passed, or cannot be read, the run ends at once
    with exit code 75.
author: The Understudy authors
"""
EXIT_CODE = 75  # EX_TEMPFAIL: another node may do it


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Looks at the lease before anything is started."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "understudy_lease"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 - of the interface
        """Look before a task."""
        end_without_lease()

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:  # noqa: ARG002 - of the interface
        """Look before a handler."""
        end_without_lease()

    def v2_runner_on_start(self, host: Any, task: Any) -> None:  # noqa: ARG002 - of the interface
        """Look before each host of a task."""
        end_without_lease()


def end_without_lease() -> None:
    """End this process when there is no lease. An exception would only become a warning."""
    try:
        deadline = float(Path(os.environ["UNDERSTUDY_LEASE"]).read_text("ascii"))
    except (KeyError, OSError, ValueError):
        deadline = 0.0
    if time.clock_gettime(time.CLOCK_BOOTTIME) >= deadline:
        os._exit(EXIT_CODE)
