"""Burst servers come from the image, sell tickets, are replaced, and go again; nobody is let down meanwhile.

Needs the booking service in the lab: `ansible-playbook playbooks/site.yml`. What can go wrong meanwhile is proven
beside it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import faults
from tests.acceptance.conftest import OPERATOR, Lab, eventually, run
from tests.acceptance.crowds import Crowd, clean, nobody_was_let_down
from tests.long.scaling import BURST, changed, requests_of, scale, servers, serving

IMAGES = OPERATOR.parent / "openstack/glance"
pytestmark = pytest.mark.usefixtures("image", "as_it_was")


def test_servers_come_under_a_crowd_sell_tickets_through_both_edges_and_go_without_a_lost_request(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    buying = Crowd(site, "scale-out", 40, arrivals=4)
    done = scale("scale_out", 2)
    assert done.ok, done.out[-3000:] + done.err
    names = serving(lab, cloud, 2)
    report, _, audit = buying.end()
    clean(audit)
    nobody_was_let_down(report)

    before = requests_of(lab, names)
    buying = Crowd(site, "scale-in", 40, arrivals=4)
    again = scale("scale_out", 2)
    assert again.ok, again.out[-3000:] + again.err
    assert set(changed(again).values()) == {"0"}, again.out[-3000:]
    eventually(
        lambda: all(count > before[place] for place, count in requests_of(lab, names).items()), 60,
        "customers of both edges at both new servers",
    )  # fmt: skip
    gone = scale("scale_in", 0)
    assert gone.ok, gone.out[-3000:] + gone.err
    report, _, audit = buying.end()
    clean(audit)
    nobody_was_let_down(report)
    assert names <= set(report["servers"]), report["servers"]

    assert serving(lab, cloud, 0) == set()
    assert not BURST.search((OPERATOR / "known_hosts").read_text(encoding="utf-8"))
    sys.stdout.write(f"scale_out 0 to 2: {done.seconds:.1f} s, scale_in 2 to 0: {gone.seconds:.1f} s\n")


@pytest.mark.parametrize("wish", ["", "6"])
def test_a_wish_that_cannot_be_is_refused_before_anything_is_done(cloud: Any, wish: str) -> None:
    for playbook in ("scale_out", "scale_in"):
        done = scale(playbook, None, *(["-e", json.dumps({"wanted_servers": wish})] if wish else []))
        assert not done.ok
        assert "wanted" in done.out
    assert servers(cloud) == {}


def test_check_mode_makes_nothing(cloud: Any) -> None:
    done = scale("scale_out", 2, "--check")
    assert done.ok, done.out[-3000:] + done.err
    assert "make 2" in done.out
    assert servers(cloud) == {}


def test_no_secret_is_in_the_image_not_even_in_what_was_deleted_there(image: Any, tmp_path: Path) -> None:
    secrets = [path.read_text(encoding="utf-8").split()[0] for path in (OPERATOR / "secrets").iterdir()]
    assert all(len(secret) >= 16 for secret in secrets)
    patterns = tmp_path / "secrets"
    patterns.write_text("\n".join(secrets), encoding="utf-8")
    (disk,) = IMAGES.rglob(image.id)

    looked = run(["grep", "-acF", "-f", str(patterns), str(disk)], 120, {**os.environ, "LC_ALL": "C"})
    control = run(["grep", "-acF", "-m1", "understudy-was", str(disk)], 120, {**os.environ, "LC_ALL": "C"})

    assert looked.out.strip() == "0"
    assert control.out.strip() == "1"  # what is there is found
