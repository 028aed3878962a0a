# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which text Ansible may treat as its own: only text that cannot be a template."""

from __future__ import annotations

from typing import Any

from ansible.template import trust_as_template


class Marker:
    """Mark text without a brace as trusted, and remember it, for most of it comes thousands of times.

    A template begins with a brace, so trusting the rest evaluates nothing. Text with one stays unmarked:
    Ansible never evaluates it, and `ansible-inventory` shows it as `__ansible_unsafe`.
    """

    def __init__(self) -> None:
        self._marked: dict[str, str] = {}

    def mark(self, value: Any) -> Any:
        """Give the same value with its texts marked; lists and mappings are copied."""
        if isinstance(value, str):
            marked = self._marked.get(value)
            if marked is None:
                marked = self._marked[value] = value if "{" in value else trust_as_template(value)
            return marked
        if isinstance(value, list):
            return [self.mark(each) for each in value]
        if isinstance(value, dict):
            return {key: self.mark(each) for key, each in value.items()}
        return value
