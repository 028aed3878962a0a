"""Servers that hands made, and one that the cloud lost: the runner knows of them once it has counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import faults, runners
from tests.acceptance.conftest import Lab, eventually
from tests.long.chain import COUNT, OWNER, counted, jobs, released
from tests.long.scaling import hanging_api, scale, servers, serving

__all__ = ["released"]  # a fixture
pytestmark = pytest.mark.usefixtures("image", "as_it_was", "released")
REFUSED = 1  # the command's exit code


def known(site: faults.Lab) -> tuple[int, int, bool]:
    """Return what the runner believes: how many servers are wanted and serve, and whether by an old list."""
    told = json.loads(runners.ask(site, OWNER, "capacity", "--json"))
    return told["wanted"], told["ready"], told["stale"]


def test_what_hands_made_and_what_the_cloud_lost_is_known_when_it_was_counted(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    runners.ask(site, OWNER, "brake", "on", "--reason", "scaled by hand")
    by_hand = scale("scale_out", 1)
    assert by_hand.ok, by_hand.out[-3000:] + by_hand.err
    assert len(serving(lab, cloud, 1)) == 1
    before = set(jobs(site, OWNER, COUNT))
    runners.ask(site, OWNER, "brake", "off")
    counted(site, before)
    runners.ask(site, OWNER, "brake", "on", "--reason", "one is lost")  # or an idle alert removes it first
    assert known(site) == (1, 1, False)

    [lost] = servers(cloud).values()
    cloud.compute.delete_server(lost.id)
    eventually(lambda: not servers(cloud), 60, "the cloud has lost it")
    before = set(jobs(site, OWNER, COUNT))
    runners.ask(site, OWNER, "submit", COUNT, "--yes", "--insist")
    counted(site, before)
    assert known(site) == (0, 0, False)


def test_a_silent_cloud_is_an_old_list_from_which_nothing_is_removed(lab: Lab, site: faults.Lab) -> None:
    before = set(jobs(site, OWNER, COUNT))
    with hanging_api(lab):
        runners.ask(site, OWNER, "submit", COUNT, "--yes")
        counted(site, before)
    assert known(site)[2]
    runners.ask(site, OWNER, "submit", "scale_in", "wanted_servers=0", "--yes", well=(REFUSED,))
    newest = json.loads(runners.ask(site, OWNER, "ledger", "--json", "--limit", "1"))["lines"][0]
    assert (newest["action"], newest["verdict"]) == ("scale_in", "refused")
    assert "the inventory is stale" in newest["reason"]
