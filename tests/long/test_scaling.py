"""Burst servers come from the image, sell tickets, are replaced, and go again; nobody is let down meanwhile.

Needs the booking service in the lab: `ansible-playbook playbooks/site.yml`. Makes the image when there is none. What
can go wrong meanwhile is proven beside it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest

from lab import faults, topology
from lab.paths import Paths
from tests.acceptance.conftest import OPERATOR, ROOT, Done, Lab, brakes, eventually, lab, run, session_lab
from tests.acceptance.test_show import Crowd, clean, nobody_was_let_down

__all__ = ["brakes", "lab", "session_lab"]  # fixtures
BURST = re.compile(r"cloud-burst\d+")
EDGES = ("colo-gw1", "cloud-gw1")
RELEASE = (ROOT / "build/booking/VERSION").read_text(encoding="utf-8").strip()
CLOUDS = str(OPERATOR / "clouds.yaml")
IMAGES = OPERATOR.parent / "openstack/glance"


def connection(name: str = "lab") -> Any:
    """Speak with the lab's cloud as the operator, or as its administrator."""
    config = openstack.config.OpenStackConfig(config_files=[CLOUDS], load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(name))


@pytest.fixture(scope="module")
def cloud() -> Any:
    return connection()


@pytest.fixture(scope="module")
def site() -> faults.Lab:
    """The lab as its own tools see it."""
    return faults.Lab(topology.load(), Paths())


@pytest.fixture(scope="module", autouse=True)
def image(cloud: Any) -> Any:
    """The published image of the release that serves; made here when there is none."""
    if not published(cloud):
        done = scale("bake_image", seconds=900)
        assert done.ok, done.out[-3000:] + done.err
    return published(cloud)[0]


@pytest.fixture(autouse=True)
def as_it_was(lab: Lab, cloud: Any) -> Iterator[None]:
    """End without burst servers."""
    yield
    lab("cloud-api", "up")
    if servers(cloud):
        done = scale("scale_in", 0)
        assert done.ok, done.out[-3000:] + done.err
    assert servers(cloud) == {}


def published(cloud: Any) -> list[Any]:
    return [
        each
        for each in cloud.image.images(status="active")
        if each.properties.get("understudy_published") == "yes" and each.properties["understudy_release"] == RELEASE
    ]


def scale(playbook: str, wanted: int | None = None, *words: str, seconds: float = 300) -> Done:
    number = [] if wanted is None else ["-e", f"wanted_servers={wanted}"]
    return run(["ansible-playbook", f"playbooks/{playbook}.yml", *number, *words], seconds)


def servers(cloud: Any) -> dict[str, Any]:
    """Map the names of burst servers to what the cloud says of them; refuse two of one name."""
    found = [each for each in cloud.compute.servers() if BURST.fullmatch(each.name)]
    assert len({each.name for each in found}) == len(found), [each.name for each in found]
    return {each.name: each for each in found}


def states(lab: Lab, edge: str) -> dict[str, str]:
    """Map each server to what an edge says of it: up, down or drained."""
    lines = lab.on(edge, "sudo understudy-balancer show").out.splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def changed(done: Done) -> dict[str, str]:
    return dict(re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", done.out, re.MULTILINE))


def serving(lab: Lab, cloud: Any, count: int) -> set[str]:
    """Demand that so many burst servers serve: for the cloud, both edges and the inventory; return their names."""
    names = set(servers(cloud))
    assert len(names) == count
    for edge in EDGES:
        assert {name for name, state in states(lab, edge).items() if BURST.fullmatch(name) and state == "up"} == names
    assert {name for name in lab.inventory()["was"]["hosts"] if BURST.fullmatch(name)} == names
    return names


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


def requests_of(lab: Lab, names: set[str]) -> dict[tuple[str, str], int]:
    """Count the requests that each edge has given to each of these servers."""
    counted: dict[tuple[str, str], int] = {}
    for edge in EDGES:
        text = lab.on(edge, "curl -s '127.0.0.1:8404/stats;csv'").out.removeprefix("# ")
        rows = {row["svname"]: row for row in csv.DictReader(text.splitlines()) if row["pxname"] == "was"}
        counted |= {(edge, name): int(rows[name]["stot"] or 0) for name in names}
    return counted


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
