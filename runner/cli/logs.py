"""The log of the service: one line per state change on standard error, `event=...` and fields."""

from __future__ import annotations

import logging

FORM = "level=%(levelname)s from=%(name)s %(message)s"


def configure() -> None:
    """Write all that is worth a line. Times are added by whoever keeps the log: the journal does."""
    logging.basicConfig(level=logging.INFO, format=FORM)
    for noisy in ("httpx", "apprise", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
