"""Write a row every so often into this host's own database and tell each acknowledgement: `python3 - SIDE SECONDS`.

Runs on a database host as postgres, with nothing of this project beside it. It goes on through restarts and promotions.
"""

import contextlib
import sys
import time

import psycopg2  # type: ignore[import-untyped]

SOCKET, DATABASE = "/var/run/postgresql", "understudy_drill"
LATE = "synchronous"  # of a commit that no other site has confirmed, although it was told as done


def say(*words: object) -> None:
    """Write a line that is not held back."""
    print(*words, flush=True)  # noqa: T201 - this program's output is what it is for


def main(side: str, seconds: float) -> None:
    """Write until the standard output is gone."""
    number, connection = 0, None
    while True:
        number, sent = number + 1, time.time()
        try:
            if connection is None:
                connection = psycopg2.connect(host=SOCKET, dbname=DATABASE, connect_timeout=2)
                connection.autocommit = True
            del connection.notices[:]
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO written (side, number) VALUES (%s, %s)", (side, number))
            kind = "L" if any(LATE in notice for notice in connection.notices) else "A"
            say(kind, f"{sent:.4f}", f"{time.time():.4f}", number)
        except psycopg2.Error as error:
            say("E", f"{sent:.4f}", f"{time.time():.4f}", number, " ".join(str(error).split())[:80])
            if connection is not None:
                with contextlib.suppress(psycopg2.Error):
                    connection.close()
            connection = None
        time.sleep(max(0.0, seconds - (time.time() - sent)))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
