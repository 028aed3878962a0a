"""The lab and the production example have the same shape, so that what works in one works in the other."""

from __future__ import annotations

from typing import Any

from tests.content import project

LAB = project.ROOT / "inventories/lab"
PRODUCTION = project.ROOT / "inventories/production"


def keys(value: Any) -> Any:
    """Reduce a document to its keys; lists to the keys of their entries."""
    if isinstance(value, dict):
        return {name: keys(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return sorted({str(keys(entry)) for entry in value if isinstance(entry, dict)})
    return None


def test_both_inventories_have_the_same_files() -> None:
    files = [
        {
            str(path.relative_to(root))
            for path in project.tracked()
            if path.is_relative_to(root) and "vault" not in path.name
        }
        for root in (LAB, PRODUCTION)
    ]
    assert files[0] - files[1] == set()


def test_the_source_files_have_the_same_keys() -> None:
    lab, production = (project.load(root / "two_sites.yml") for root in (LAB, PRODUCTION))
    assert set(lab) == set(production)
    assert keys(lab["clouds"]) == keys(production["clouds"])


def test_group_variables_have_the_same_names() -> None:
    for path in sorted((LAB / "group_vars").rglob("*.yml")):
        twin = PRODUCTION / path.relative_to(LAB)
        assert set(project.load(path) or {}) == set(project.load(twin) or {}), path.name


def test_the_labs_internet_lets_through_to_the_public_addresses_that_servers_have() -> None:
    topology = project.load(project.ROOT / "lab/topology.yml")["cloud"]["public_hosts"]
    servers = project.load(LAB / "group_vars/all/cloud.yml")["cloud_standing_servers"]
    public = {
        server["name"]: interface["address"]
        for server in servers
        for interface in server["interfaces"]
        if interface["network"] == "public"
    }
    assert {name: host["address"] for name, host in topology.items()} == public
    functions = {server["name"]: server["functions"] for server in servers}
    assert all(functions[name] == host["functions"] for name, host in topology.items())
