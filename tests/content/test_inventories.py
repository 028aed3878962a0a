"""The lab and the production example have the same shape, so that what works in one works in the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jinja2.nativetypes import NativeEnvironment

from tests.content import project

if TYPE_CHECKING:
    from pathlib import Path

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


def secrets_in(*files: Path) -> set[str]:
    """Collect the names of secrets that files use."""
    return {name for file in files for name in re.findall(r"vault_\w+", file.read_text(encoding="utf-8"))}


def demanded(inventory: Path, *, external: bool) -> set[str]:
    """Return the names of the secrets without which the preflight refuses a service."""
    values: dict[str, Any] = {}
    for name in ("service", "backup"):
        values |= project.load(inventory / f"group_vars/all/{name}.yml")
    values["database_external"] = external
    for name in ("backup_enabled", "service_secrets", "backup_secrets"):  # in this order: the last one reads the first
        values[name] = NativeEnvironment().from_string(values[name]).render(values)
    return {*values["service_secrets"], *values["backup_secrets"]}


@pytest.mark.parametrize("inventory", [LAB, PRODUCTION], ids=["lab", "production"])
def test_secrets_that_only_a_database_of_ours_has_are_demanded_only_for_one(inventory: Path) -> None:
    files = set((inventory / "group_vars").rglob("*.yml"))
    files -= {inventory / "group_vars/all/service.yml", inventory / "group_vars/all/vault.yml"}
    of_ours = set((inventory / "group_vars/database").glob("*.yml")) | {inventory / "group_vars/all/backup.yml"}
    only_there = secrets_in(*of_ours) - secrets_in(*files - of_ours)
    ours, others = (demanded(inventory, external=external) for external in (False, True))
    assert "vault_database_superuser_password" in only_there
    assert ours - others == only_there
    assert "vault_database_booking_password" in others
