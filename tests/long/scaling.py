"""What tests of scaling ask and do: playbooks, the cloud's own list, and what the edges see."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import openstack

from lab import crowd, faults
from tests.acceptance.conftest import OPERATOR, ROOT, Done, Lab, changed, run
from tests.acceptance.crowds import nobody_was_let_down
from tests.acceptance.edges import EDGES, figures, states

__all__ = ["EDGES", "changed", "states"]  # beside what is below

BURST = re.compile(r"cloud-burst\d+")
RELEASE = (ROOT / "build/booking/VERSION").read_text(encoding="utf-8").strip()
CLOUDS = str(OPERATOR / "clouds.yaml")


def connection(name: str = "lab") -> Any:
    """Speak with the lab's cloud as the operator, or as its administrator; a connection that it closed is made anew."""
    config = openstack.config.OpenStackConfig(config_files=[CLOUDS], load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(name, connect_retries=2))


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


def serving(lab: Lab, cloud: Any, count: int, edges: Sequence[str] = EDGES) -> set[str]:
    """Demand that so many burst servers serve: for the cloud, the edges and the inventory; return their names."""
    names = set(servers(cloud))
    assert len(names) == count
    for edge in edges:
        assert {name for name, state in states(lab, edge).items() if BURST.fullmatch(name) and state == "up"} == names
    assert {name for name in lab.inventory()["was"]["hosts"] if BURST.fullmatch(name)} == names
    return names


def requests_of(lab: Lab, names: set[str], edges: Sequence[str] = EDGES) -> dict[tuple[str, str], int]:
    """Count the requests that each edge has given to each of these servers."""
    counted: dict[tuple[str, str], int] = {}
    for edge in edges:
        rows = figures(lab, edge)
        counted |= {(edge, name): int(rows[name]["stot"] or 0) for name in names}
    return counted


def sells(site: faults.Lab, edge: str) -> None:
    """Let a customer buy some tickets, one after the other, through the edge at that address."""
    name = f"one-{edge}-{time.strftime('%H%M%S')}"
    words = ["--customers", "1", "--attempts", "3", "--resolve", f"{crowd.NAME}={edge}"]
    report = crowd.finish(site, name, crowd.start(site, name, words)).report
    nobody_was_let_down(report)
    assert set(report["edges"]) == {edge}, report["edges"]


@contextmanager
def hanging_api(lab: Lab) -> Iterator[None]:
    """Let the cloud's API take requests and answer none."""
    lab("cloud-api", "hang")
    try:
        yield
    finally:
        lab("cloud-api", "up")


@contextmanager
def exhausted_quota(cloud: Any, left: int = 0) -> Iterator[None]:
    """Leave room in the project's quota for so many servers."""
    admin = connection("lab-admin")
    project = cloud.current_project_id
    used = cloud.compute.get_limits().absolute
    before = admin.compute.get_quota_set(project).instances
    admin.compute.update_quota_set(project, instances=used.instances_used + left)
    try:
        yield
    finally:
        admin.compute.update_quota_set(project, instances=before)


@contextmanager
def unbootable_image(cloud: Any) -> Iterator[None]:
    """Publish an image of the release, newer than all others, that holds no disk."""
    broken = cloud.image.create_image(
        name="broken", data=b"no disk" * 1000, disk_format="raw", container_format="bare", wait=True,
        understudy_role="was", understudy_release=RELEASE, understudy_published="yes",
    )  # fmt: skip
    try:
        yield
    finally:
        cloud.image.delete_image(broken.id)
