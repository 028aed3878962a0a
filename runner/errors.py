"""Errors of the runner. Every message says what is wrong, with the value, and what to do next."""

from __future__ import annotations


class RunnerError(Exception):
    """The runner cannot do what was asked."""


class SettingsError(RunnerError):
    """A setting, a secret, or a file named by one is missing or wrong."""


class PolicyError(RunnerError):
    """The policy file or the calendar file cannot be used: names file, key and value."""


class InvalidRequest(RunnerError):
    """What a caller sent is not understood; nothing was kept of it."""


class Refused(RunnerError):
    """What was asked is understood and must not be done now: the message is the reason."""


class NotFound(RunnerError):
    """There is no such thing."""


class StoreUnavailable(RunnerError):
    """The store cannot be read or written now: nothing was kept, and the caller may repeat."""


class ExecutionError(RunnerError):
    """A playbook could not be started, watched or ended."""
