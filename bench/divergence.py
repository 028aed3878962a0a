"""Measure how long it takes to list what differs between two sides of many bookings.

Needs PostgreSQL's server programs; makes a cluster of its own and removes it. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from booking.sides import reading
from booking.sides.comparison import compare

from tests.integration.booking.cluster import Cluster

if TYPE_CHECKING:
    from datetime import datetime

SELL = """
INSERT INTO bookings (booking_number, idempotency_key, request_digest, hold_id, screening_id, seats, amount_won,
                      customer_name, contact, state, confirmed_at)
SELECT 'B' || n, 'key-of-a-purchase-' || n, repeat(md5(n::text), 2), gen_random_uuid(),
       (SELECT min(id) FROM screenings), ARRAY['S' || n], 10000, 'Kim Minseo', 'minseo@example.com', 'confirmed', now()
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
"""
PAY = """
INSERT INTO payments (booking_id, merchant_reference, state, amount_won)
SELECT id, idempotency_key, 'approved', amount_won FROM bookings WHERE booking_number >= '' ON CONFLICT DO NOTHING
"""
CLAIM = """
INSERT INTO seat_claims (screening_id, seat, booking_id)
SELECT screening_id, seats[1], id FROM bookings ON CONFLICT DO NOTHING
"""


def fill(url: str, first: int, last: int) -> None:
    """Sell so many bookings at once."""
    with psycopg.connect(url) as connection:
        connection.execute(SELL.encode(), {"first": first, "last": last})
        connection.execute(PAY.encode())
        connection.execute(CLAIM.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def listing(old: str, new: str) -> tuple[float, dict[str, int]]:
    """Run the command once; returns its seconds, start of the process included, and its figures."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--old", old, "--new", new, "--output", str(Path(folder) / "list.json"), "--json"]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "booking", "divergence", *where], stdout=subprocess.PIPE, text=True, check=False
        )
        return time.monotonic() - began, json.loads(done.stdout)


def compared(old: str, new: str, since: datetime | None) -> float:
    """Compare once in this process; returns its seconds."""
    began = time.monotonic()
    found = reading.read(old, new, since)
    compare(found.old, found.new)
    return time.monotonic() - began


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--lost", type=int, default=500, help="bookings of the old side alone")
    parser.add_argument("--since", type=int, default=5_000, help="bookings of the new side alone")
    parser.add_argument("--runs", type=int, default=5)
    wish = parser.parse_args()
    cluster = Cluster.start()
    try:
        before = cluster.create_database(template=cluster.seeded())
        fill(cluster.url(before), 1, wish.bookings)
        old, new = (cluster.create_database(template=before) for _ in range(2))
        with psycopg.connect(cluster.url()) as connection:
            (moment,) = connection.execute("SELECT now()").fetchone() or (None,)
        fill(cluster.url(old), 10_000_001, 10_000_000 + wish.lost)
        fill(cluster.url(new), 20_000_001, 20_000_000 + wish.since)
        told: dict[str, object] = {"bookings": wish.bookings}
        where = cluster.url(old), cluster.url(new)
        for name, since in {"all_s": None, "since_s": moment}.items():
            told[name] = round(statistics.median(compared(*where, since) for _ in range(wish.runs)), 2)
        commands = [listing(*where) for _ in range(wish.runs)]
        told["command_s"] = round(statistics.median(seconds for seconds, _ in commands), 2)
        told |= {each: commands[0][1][each] for each in ("only_on_old_side", "only_on_new_side")}
        print(json.dumps(told))
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
