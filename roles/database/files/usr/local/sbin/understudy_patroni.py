#!/usr/bin/python3
"""Start Patroni, and let it look ten times a second whether PostgreSQL has stopped, instead of once.

In a planned switch nobody can write from the old leader's stop until Patroni has seen it and released the lease
(Patroni 4.0: patroni.postgresql.Postgresql._do_stop). The pause between two looks is a constant there, and no setting.
"""

from __future__ import annotations

import sys

from patroni import postgresql
from patroni.__main__ import main

LOOK_EVERY_SECONDS = 0.1

if __name__ == "__main__":
    if hasattr(postgresql, "STOP_POLLING_INTERVAL"):
        postgresql.STOP_POLLING_INTERVAL = LOOK_EVERY_SECONDS
    else:
        sys.stderr.write("This Patroni has no STOP_POLLING_INTERVAL: a planned switch may take a second longer.\n")
    sys.exit(main())
