"""Write the application's events to standard error, one line each, for the journal."""

from __future__ import annotations

import logging


def write_logs() -> None:
    """Give the `booking` loggers a way out, unless somebody else has."""
    logger = logging.getLogger("booking")
    if logger.handlers or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
