"""Write numbers for some seconds and log each one that was acknowledged: writer.py DSN LOG SECONDS."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]  # the hosts' own, without types


def main(dsn: str, log: Path, seconds: float) -> None:
    """Write as fast as a customer would not; connect again after every failure."""
    ends, number, connection = time.time() + seconds, 0, None
    with log.open("w", encoding="utf-8", buffering=1) as acknowledged:
        while time.time() < ends:
            number += 1
            try:
                if connection is None or connection.closed:
                    connection = psycopg2.connect(dsn, connect_timeout=2)
                    connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO ticks VALUES (%s) RETURNING host(inet_server_addr())", (number,))
                    acknowledged.write(f"{time.time():.3f} {cursor.fetchone()[0]}\n")
            except psycopg2.Error:
                if connection is not None:
                    connection.close()
            time.sleep(0.03)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
