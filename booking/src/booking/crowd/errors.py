"""Ends of a purchase that are not a booking, written for the person who reads the report."""

from __future__ import annotations


class CrowdError(Exception):
    """The crowd cannot do what it was asked to."""


class NoProperAnswerError(CrowdError):
    """A request got no proper answer, however often it was repeated."""


class StillWaitingError(CrowdError):
    """The service asked the customer to wait for longer than the customer's patience lasts."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
