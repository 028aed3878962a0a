"""Who asks: the holder of a token, as every part of the API sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING_SENT = "Send a token in the header `Authorization: Bearer ...`; `understudy token add` makes one."
NOT_KNOWN = "This token is not known, or expired; `understudy token list` shows the ones there are."


class Caller(Protocol):
    """The holder of a token."""

    @property
    def name(self) -> str:
        """Return the name under which the ledger knows them."""

    def may(self, scope: str) -> bool:
        """Tell whether they may do what the scope names."""


type Identify = Callable[[bytes], Caller | None]
"""Returns the holder of a token, or None when it is unknown or expired: both mean 401. A missing scope means 403."""


def lacks(caller: Caller, scope: str) -> str:
    """Say that a caller's token does not cover a scope."""
    return f"The token {caller.name} lacks the scope {scope}, which this needs."
