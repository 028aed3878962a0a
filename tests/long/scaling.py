"""What tests of scaling ask and do: playbooks, the cloud's own list, and what the edges see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import openstack

from tests.acceptance.conftest import OPERATOR, ROOT, Done, Lab, changed, run
from tests.acceptance.edges import EDGES, figures, states

__all__ = ["EDGES", "changed", "states"]  # beside what is below

BURST = re.compile(r"cloud-burst\d+")
RELEASE = (ROOT / "build/booking/VERSION").read_text(encoding="utf-8").strip()
CLOUDS = str(OPERATOR / "clouds.yaml")


def connection(name: str = "lab") -> Any:
    """Speak with the lab's cloud as the operator, or as its administrator."""
    config = openstack.config.OpenStackConfig(config_files=[CLOUDS], load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(name))


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
