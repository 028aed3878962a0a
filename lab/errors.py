"""Errors of the lab, written for the person at the terminal."""

from __future__ import annotations


class LabError(Exception):
    """Say what happened, with the value, then the next step."""


class CommandError(LabError):
    """Say that a command failed, and keep its exit code and its last words."""

    def __init__(self, message: str, exit_code: int | None, output: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.output = output


class UnknownNameError(LabError):
    """Say that a name is not of this lab, and list those that are."""
