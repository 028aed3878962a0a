"""Read the payment gateway's own list of payments."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from booking.audit.comparison import Charge
from booking.crowd.errors import CrowdError

if TYPE_CHECKING:
    from pathlib import Path

_PAGE = 1000
_TIMEOUT_SECONDS = 10.0


def charges(url: str, secret: str, ca_file: Path | None) -> list[Charge]:
    """Return every payment that the gateway has; CrowdError when it cannot be asked."""
    trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    found: list[Charge] = []
    after: str | int | None = None
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, verify=trust, timeout=_TIMEOUT_SECONDS) as client:
        while True:
            asked = {"limit": _PAGE} if after is None else {"limit": _PAGE, "after": after}
            try:
                answer = client.get("/payments", params=asked).raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                raise CrowdError(f"The gateway at {url} did not list its payments: {error}") from error
            found += [Charge(row["merchant_reference"], row["state"], row["amount_won"]) for row in answer["payments"]]
            after = answer.get("next")
            if after is None:
                return found
