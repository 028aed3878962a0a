"""Deliveries as a sender makes them."""

from __future__ import annotations

import json

HEADERS = {"authorization": "Bearer good", "content-type": "application/json"}
DEADLINE_SECONDS = 20.0


def delivery(number: int = 0, alerts: int = 1) -> bytes:
    one = {"status": "firing", "labels": {"alertname": "BookingSlow"}, "startsAt": "2026-11-25T08:00:00Z"}
    each = [one | {"fingerprint": f"{number}-{index}"} for index in range(alerts)]
    return json.dumps({"version": "4", "alerts": each}).encode()
