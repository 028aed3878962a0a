"""The refusals of the inventory, each a sentence that a person can act on."""

from __future__ import annotations

SHOWN_LENGTH = 120


class TwoSitesError(Exception):
    """Say why no inventory can be given."""


class RefusedValueError(TwoSitesError):
    """Refuse a value of a file or of a cloud's answer: where it stands, what it is and what belongs there."""

    def __init__(self, source: str, key: str, value: object, expected: str) -> None:
        shown = repr(str(value)) if isinstance(value, str) else repr(value)
        if len(shown) > SHOWN_LENGTH:
            shown = shown[:SHOWN_LENGTH] + "..."
        where = f"{source}: {key}" if key else source
        super().__init__(f"{where} is {shown}; expected {expected}.")


class CloudSilentError(TwoSitesError):
    """Say which cloud gave no complete list of servers, and why."""

    def __init__(self, cloud: str, cause: str, next_step: str) -> None:
        super().__init__(f"Cloud {cloud!r} gave no complete list of its servers: {cause}. {next_step}")
        self.cloud = cloud
        self.cause = cause
