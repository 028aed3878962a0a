"""Talk to the payment gateway. The only user of its protocol."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from booking.errors import AnswerLostError

if TYPE_CHECKING:
    from pathlib import Path

SIGNATURE_HEADER = "X-Gateway-Signature"
_STATES = {"approved", "declined", "refunded"}


@dataclass(frozen=True)
class Payment:
    """What the gateway says of a payment; state `approved`, `declined` or `refunded`."""

    reference: str
    payment_id: str
    state: str
    amount_won: int | None


def signature(secret: str, body: bytes) -> str:
    """Sign a notification: HMAC-SHA256 of the body, in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Gateway:
    """The gateway over HTTP. Every call answers within its time limit or raises AnswerLostError."""

    def __init__(
        self, url: str, secret: str, ca_file: Path | None, timeout_seconds: float, connections: int = 64
    ) -> None:
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            verify=trust,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=10
            ),
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def charge(self, reference: str, amount_won: int, card_token: str, notify_url: str, seconds: float) -> Payment:
        """Ask for money; the same reference is charged once, however often it is asked."""
        body = {"merchant_reference": reference, "amount_won": amount_won, "card_token": card_token}
        if notify_url:
            body["notify_url"] = notify_url
        return self._payment(self._ask("POST", "/payments", seconds, json=body), reference)

    def find(self, reference: str, seconds: float) -> Payment | None:
        """Ask what became of a payment; None when the gateway does not know it."""
        answer = self._ask("GET", f"/payments/{reference}", seconds)
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._payment(answer, reference)

    def refund(self, reference: str, seconds: float) -> Payment:
        """Send the money back; may be repeated."""
        return self._payment(self._ask("POST", f"/payments/{reference}/refund", seconds), reference)

    def listed(self, after: str, seconds: float) -> tuple[list[Payment], str]:
        """Return a page of payments in the order they were made, and where the next one begins ("" at the end)."""
        answer = self._ask("GET", "/payments", seconds, params={"limit": 500, "after": after})
        if answer.status_code != httpx.codes.OK:
            raise AnswerLostError(f"The gateway answered {answer.status_code} when asked for its payments.")
        document = answer.json()
        payments = [
            Payment(entry["merchant_reference"], entry["payment_id"], entry["state"], entry["amount_won"])
            for entry in document["payments"]
        ]
        return payments, str(document.get("next") or "")

    def healthy(self, seconds: float) -> bool:
        """Tell whether the gateway answers."""
        try:
            return self._ask("GET", "/healthz", seconds).status_code == httpx.codes.OK
        except AnswerLostError:
            return False

    def signed(self, body: bytes, given: str) -> bool:
        """Tell whether a notification comes from the gateway."""
        return hmac.compare_digest(signature(self._secret, body).encode(), given.encode())

    def _ask(self, method: str, path: str, seconds: float, **content: Any) -> httpx.Response:
        timeout = max(0.05, min(seconds, self._timeout_seconds))
        try:
            return self._client.request(method, path, timeout=timeout, **content)
        except (httpx.HTTPError, OSError) as error:
            raise AnswerLostError(f"The gateway's answer to {method} {path} was lost: {error!r}") from error

    @staticmethod
    def _payment(answer: httpx.Response, reference: str) -> Payment:
        """Read an answer; whatever is not a clear one counts as lost."""
        if answer.is_success:
            try:
                document = answer.json()
                if document["state"] in _STATES:
                    return Payment(
                        reference, str(document["payment_id"]), document["state"], document.get("amount_won")
                    )
            except (ValueError, KeyError, TypeError) as error:
                raise AnswerLostError(f"The gateway's answer about {reference} cannot be read.") from error
        raise AnswerLostError(f"The gateway answered {answer.status_code} about {reference}.")
