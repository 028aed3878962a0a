#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Book a seat as a customer would, look it up, and give it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: booking_proof
short_description: Book a seat as a customer would, look it up, and give it back
version_added: "0.1.0"
author: The Understudy authors
description:
  - Asks the application's JSON API for theatres, screenings and seats, holds one of the last free seats, pays for it,
    looks the booking up, cancels it, and sees that it was paid back and the seat is free again.
  - Every step is repeated while the service is busy or failing over. The purchase carries an idempotency key, so it is
    one purchase, however often it is asked for. A seat that a customer took meanwhile is left to them.
  - In check mode nothing is done.
options:
  url:
    description: Where customers enter, or one server of the application.
    type: str
    required: true
  ca_file:
    description: File of the authority that the certificate must come from; empty for the system's.
    type: str
    default: ""
  name:
    description: Name that the booking is made under.
    type: str
    required: true
  contact:
    description: Contact that it is looked up and cancelled with.
    type: str
    required: true
  card_token:
    description: What is paid with.
    type: str
    required: true
  retries:
    description: How often each step is repeated, once a second.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Prove that customers can book
  understudy.hybrid.booking_proof:
    url: https://tickets.example.org
    name: Proof
    contact: proof@example.org
    card_token: tok_proof
"""

RETURN = r"""
booking:
  description: Number of the booking that was made and cancelled.
  type: str
  returned: when it was proven
seat:
  description: The seat.
  type: str
  returned: when it was proven
"""

import hashlib
import json
import random
import ssl
import time
from typing import Any
from urllib import error, parse, request

from ansible.module_utils.basic import AnsibleModule

TAKEN = 409
LAST_SEATS = 20  # those that a customer would miss least
ATTEMPTS = 5  # at other seats
ANSWER_SECONDS = 10


class FailedError(Exception):
    """Say which step failed, what was answered, and what to do."""


class Customer:
    """A customer of the API (booking's OpenAPI document, /api/v1)."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.api = f"{asked['url'].rstrip('/')}/api/v1"
        trust = ssl.create_default_context(cafile=asked["ca_file"] or None)
        self.opener = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=trust))

    def ask(self, step: str, path: str, body: Any = None, wanted: tuple[int, ...] = (200,), key: str = "") -> Any:
        """Return status and answer of a step, repeated until the status is wanted; raises FailedError."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        told = ""
        for attempt in range(self.asked["retries"] + 1):
            if attempt:
                time.sleep(1)
            question = request.Request(f"{self.api}{path}", data, headers)  # noqa: S310 - http or https, as given
            try:
                with self.opener.open(question, timeout=ANSWER_SECONDS) as answer:
                    status, text = answer.status, answer.read()
            except error.HTTPError as refusal:
                status, text = refusal.code, refusal.read()
            except (OSError, ValueError) as problem:
                told = str(problem)
                continue
            if status in wanted:
                return status, json.loads(text or b"null")
            told = f"{status} {text[:300].decode(errors='replace')}"
        raise FailedError(
            f"{step} at {self.asked['url']} did not work in {self.asked['retries'] + 1} attempts; the last answer: "
            f"{told}. Look at /readyz there, and at the journal of was.service."
        )

    def screening(self) -> int:
        """Choose the last screening of a theatre that has a free seat; return its id."""
        _, theatres = self.ask("Asking for the theatres", "/theatres")
        if not theatres:
            raise FailedError(f"{self.asked['url']} has no theatre. Add the programme (in the lab: 'booking seed').")
        _, screenings = self.ask(
            "Asking for screenings", f"/screenings?{parse.urlencode({'theatre_id': theatres[0]['id'], 'limit': 100})}"
        )
        free = [each["id"] for each in screenings if each["seats_free"] > 0]
        if not free:
            raise FailedError(
                f"None of the {len(screenings)} screenings of theatre {theatres[0]['id']} has a free seat, so there is "
                "nothing to prove with. Add screenings (in the lab: 'booking seed')."
            )
        return int(free[-1])

    def seats(self, screening: int) -> dict[str, str]:
        """Map the seats of a screening to their states, in order."""
        _, answer = self.ask("Asking for the seats", f"/screenings/{screening}/seats")
        return {each["seat"]: each["state"] for each in answer["seats"]}

    def hold(self, screening: int) -> dict[str, Any]:
        """Hold one of the last free seats, another one when somebody was faster."""
        for _ in range(ATTEMPTS):
            free = [seat for seat, state in self.seats(screening).items() if state == "free"][-LAST_SEATS:]
            if not free:
                break
            wish = {"screening_id": screening, "seats": [random.choice(free)]}  # noqa: S311 - no secret
            status, answer = self.ask("Holding a seat", "/holds", wish, (201, TAKEN))
            if status != TAKEN:
                return dict(answer)
        raise FailedError(f"Customers were faster at {ATTEMPTS} seats of screening {screening}. Run this again.")

    def pay(self, hold: dict[str, Any]) -> str:
        """Pay, with a key that makes it one purchase; return the booking's number."""
        body = {
            "hold_id": hold["hold_id"],
            "customer_name": self.asked["name"],
            "contact": self.asked["contact"],
            "card_token": self.asked["card_token"],
            "amount_won": hold["amount_won"],
        }
        key = f"verify-{hashlib.sha256(str(hold['hold_id']).encode()).hexdigest()[:40]}"
        _, answer = self.ask("Paying", "/purchases", body, (200, 201), key)
        return str(answer["booking_number"])

    def give_back(self, number: str, hold: dict[str, Any], screening: int) -> None:
        """Look the booking up, cancel it in any case, and see that all is as it was; raises FailedError."""
        contact = {"contact": self.asked["contact"]}
        try:
            _, found = self.ask("Looking the booking up", f"/bookings/{number}?{parse.urlencode(contact)}")
        finally:
            _, cancelled = self.ask("Cancelling", f"/bookings/{number}/cancel", contact)
        seats = self.seats(screening)
        wrong = [
            what
            for what, holds in (
                (f"it was looked up as {found}", found["state"] == "confirmed" and found["seats"] == hold["seats"]),
                (
                    f"its cancellation answered {cancelled}",
                    cancelled["state"] == "cancelled" and cancelled["refunded_won"] == hold["amount_won"],
                ),
                ("its seat is not free again", all(seats[seat] == "free" for seat in hold["seats"])),
            )
            if not holds
        ]
        if wrong:
            raise FailedError(
                f"Booking {number} of seat {', '.join(hold['seats'])}: {'; '.join(wrong)}. See that it is cancelled "
                f"(contact {self.asked['contact']}), then look at the journal of was.service on the servers."
            )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "ca_file": {"type": "str", "default": ""},
            "name": {"type": "str", "required": True},
            "contact": {"type": "str", "required": True},
            "card_token": {"type": "str", "required": True, "no_log": True},
            "retries": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False)
    customer = Customer(module.params)
    try:
        screening = customer.screening()
        hold = customer.hold(screening)
        number = customer.pay(hold)
        customer.give_back(number, hold, screening)
    except FailedError as failure:
        module.fail_json(msg=str(failure))
    module.exit_json(changed=False, booking=number, seat=", ".join(hold["seats"]))


if __name__ == "__main__":
    main()
