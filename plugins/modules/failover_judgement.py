#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether the cloud may take over from the colo, and write the card for who decides."""

from __future__ import annotations

DOCUMENTATION = r"""
module: failover_judgement
short_description: Judge whether the cloud may take over from the colo
version_added: "0.1.0"
author: The Understudy authors
description:
  - Changes nothing and asks nobody. What the observers said comes in (M(understudy.hybrid.site_probe),
    M(understudy.hybrid.database_lease)); a verdict with its reasons comes out, and a card for a tired person at night.
options:
  sights:
    description:
      - What each observer said that answered - its C(site), what it sees from C(outside) and through the C(tunnel)
        (C(seen) and C(words)), the C(lease) as it knows it, whether a failover was C(begun) there, and how many seconds
        ago the last recovery was, C(recovered_seconds).
      - And what it keeps for this day - the note C(verified) of the last verification of the backups, and the notes
        C(took) of past failovers, each with the age of its file in seconds before it.
      - Who sees from site C(cloud) speaks for the cloud, who sees from any other speaks for the witness. Who is not in
        the list says nothing.
    type: list
    elements: dict
    required: true
  cloud_site:
    description: Name of the site that would take over.
    type: str
    default: cloud
  member_sites:
    description: Site of each member of the database.
    type: dict
    default: {}
  tier:
    description: What the cloud holds of the data.
    type: str
    choices: [archive, standby, synchronous]
    required: true
  data_age_seconds:
    description: Age of the newest commit that the cloud could serve. Left out when it is not known.
    type: float
  data_trouble:
    description: What is wrong with it, as a sentence.
    type: str
    default: ""
  bookings:
    description: Bookings a minute at moments of the last hours, as Prometheus tells them. Empty when it does not.
    type: list
    elements: list
    default: []
  policy:
    description: Who says yes.
    type: str
    choices: [approve, automatic]
    default: approve
  operator:
    description: Whether a person asks, and not an alert.
    type: bool
    default: true
  insists:
    description: What the operator says to override a refusal.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Judge
  understudy.hybrid.failover_judgement:
    sights:
      - {site: witness, outside: {seen: down, words: "203.0.113.10:443 is silent"}, lease: {quorum: true, holder: ""}}
      - {site: cloud, outside: {seen: down, words: "203.0.113.10:443 is silent"}, lease: {quorum: true, holder: ""}}
    tier: synchronous
    data_age_seconds: 0
"""

RETURN = r"""
verdict:
  description: C(refuse), C(prepare), C(ask), C(wait) or C(switch).
  type: str
  returned: always
reasons:
  description: Why, in sentences.
  type: list
  elements: str
  returned: always
overridden:
  description: What the operator insisted on in spite of.
  type: list
  elements: str
  returned: always
bookings_per_minute:
  description: How many bookings a minute there were in the hour before the newest data; null when nobody knows.
  type: float
  returned: always
card:
  description: The failover card, lines of at most 78 columns.
  type: str
  returned: always
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import failover_notes
from ..module_utils.failover_card import Expectation, card
from ..module_utils.failover_judgement import judge
from ..module_utils.failover_situation import Data, Lease, Policy, Rules, Seen, Sight, Situation, Tier

SEEN = {"up": Seen.UP, "down": Seen.DOWN}
Said = dict[str, Any]


def sight(answer: Said) -> Sight:
    """Read what an observer said a moment ago; nothing is silence."""
    return Sight(SEEN.get(str(answer.get("seen", "")), Seen.UNKNOWN), 0.0, str(answer.get("words", "")))


def lease(answers: list[Said], sites: dict[str, str]) -> Lease:
    """Read what the consensus said. A holder of no known site counts as one of the colo, which must be fenced."""
    known = [answer for answer in answers if answer.get("quorum")]
    if not known:
        return Lease(quorum=False)
    holder = str(next((answer["holder"] for answer in known if answer.get("holder")), ""))
    return Lease(True, holder, sites.get(holder, "colo") if holder else "", None if holder else 0.0)


def situation(given: Said) -> Situation:
    """Put together what is known."""
    said: list[Said] = given["sights"]
    cloud: Said = next((each for each in said if each.get("site") == given["cloud_site"]), {})
    witness: Said = next((each for each in said if each.get("site") != given["cloud_site"]), {})
    rules = Rules(policy=Policy(given["policy"]))
    recovered = [float(each["recovered_seconds"]) for each in said if each.get("recovered_seconds") not in (None, "")]
    return Situation(
        tunnel=sight(cloud.get("tunnel") or {}),
        outside=sight(cloud.get("outside") or {}),
        witness=sight(witness.get("outside") or {}),
        lease=lease([each.get("lease") or {} for each in said], given["member_sites"]),
        data=Data(
            Tier(given["tier"]),
            given["data_age_seconds"],
            given["data_trouble"],
            failover_notes.verified(str(each["verified"]) for each in said if each.get("verified")),
        ),
        rules=rules,
        last_recovery_seconds=min(recovered, default=None),
        # What was begun days ago and never finished has been decided on by nobody who is asked today.
        begun=any(each.get("begun") for each in said) and min(recovered, default=0.0) < rules.block_seconds,
        operator=given["operator"],
        insists=given["insists"],
    )


def expectation(given: Said, now: float) -> Expectation:
    """Put together what the past says. `now`: seconds since the epoch."""
    took = [str(note) for each in given["sights"] for note in each.get("took") or []]
    return Expectation(
        failover_notes.bookings_per_minute(given["bookings"], now, given["data_age_seconds"]),
        failover_notes.past_minutes(took, Tier(given["tier"])),
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "sights": {"type": "list", "elements": "dict", "required": True},
            "cloud_site": {"type": "str", "default": "cloud"},
            "member_sites": {"type": "dict", "default": {}},
            "tier": {"type": "str", "choices": [each.value for each in Tier], "required": True},
            "data_age_seconds": {"type": "float"},
            "data_trouble": {"type": "str", "default": ""},
            "bookings": {"type": "list", "elements": "list", "default": []},
            "policy": {"type": "str", "choices": [each.value for each in Policy], "default": "approve"},
            "operator": {"type": "bool", "default": True},
            "insists": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    known = situation(module.params)
    judged = judge(known)
    past = expectation(module.params, time.time())
    module.exit_json(
        changed=False,
        verdict=judged.verdict.value,
        reasons=list(judged.reasons),
        overridden=list(judged.overridden),
        card=card(known, judged, past),
        bookings_per_minute=past.bookings_per_minute,
    )


if __name__ == "__main__":
    main()
