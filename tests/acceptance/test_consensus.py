"""Who leads the consensus is the member that is lost with no database."""

from __future__ import annotations

from tests.acceptance.conftest import Lab, eventually

LEADS = "sudo sh -c '. /etc/profile.d/understudy-consensus.sh; etcdctl endpoint status --write-out=simple'"
HAND_OVER_SECONDS = 150  # a minute's timer on the other members, and a busy machine


def test_the_witness_leads_the_consensus(lab: Lab) -> None:
    def leads() -> bool:
        return lab.on("witness1", LEADS).out.split(", ")[4] == "true"

    eventually(leads, HAND_OVER_SECONDS, "witness1 leads")
