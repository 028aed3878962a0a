"""Judge a plan of the service - who serves, who decides, with which secrets - before a host is touched (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHORTEST_SECRET = 16
PLACEHOLDER = "CHANGE-ME"
WITHOUT_A_MEMBER = "archive"  # the tier in which the cloud has no member of the database


def service_faults(plan: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a plan, each as a sentence; see roles/preflight, entry point service."""
    return [*_roles(plan), *_deciders(plan), *_database(plan)]


def secret_faults(secrets: Mapping[str, Any]) -> list[str]:
    """Return the secrets that are missing, placeholders or too short, by name and never by value."""
    faults = []
    for name, value in sorted(secrets.items()):
        text = str(value or "")
        if text.startswith(PLACEHOLDER) or not text:
            faults.append(
                f"{name} is {'empty' if not text else 'still ' + PLACEHOLDER}; write your own into the vault file."
            )
        elif len(text) < SHORTEST_SECRET:
            faults.append(
                f"{name} has {len(text)} characters; use {SHORTEST_SECRET} or more, such as from pwgen -s 32."
            )
    return faults


def _roles(plan: Mapping[str, Any]) -> Iterator[str]:
    for function, what in (("edge", "lets customers in"), ("was", "runs the application")):
        if not plan.get(function):
            yield f"No host has the function '{function}', so nothing {what}; give it to a host in the inventory."
    if not plan.get("dns"):
        yield "No host has the function 'dns', so customers could not be moved between edges; give it to two hosts."


def _deciders(plan: Mapping[str, Any]) -> Iterator[str]:
    if plan.get("database_external"):
        return
    members: Mapping[str, str] = plan.get("consensus") or {}
    if len(members) < 3 or len(members) % 2 == 0:
        yield (
            f"{len(members)} hosts have the function 'consensus' ({', '.join(sorted(members)) or 'none'}); "
            "a majority that survives one of them needs 3 (or 5)."
        )
        return
    majority = len(members) // 2 + 1
    sites = list(members.values())
    for site in sorted(set(sites)):
        if sites.count(site) >= majority:
            yield (
                f"{sites.count(site)} of {len(members)} consensus members are at site {site}; "
                "when it is lost so is the majority. Spread them over three sites."
            )


def _database(plan: Mapping[str, Any]) -> Iterator[str]:
    hosts = sorted(plan.get("database") or [])
    if not plan.get("database_external"):
        if not hosts:
            yield (
                "No host has the function 'database'; give it to a host, or set database_external: true "
                "and say in database_external_servers where the database is."
            )
        return
    if not plan.get("database_external_servers"):
        yield "database_external is true and database_external_servers is empty; say where the database is."
    if hosts:
        yield (
            f"database_external is true, but the inventory gives the function 'database' to {', '.join(hosts)}; "
            "hosts that others run are none of this project's: take them out of the inventory."
        )
    tier = plan.get("data_tier", WITHOUT_A_MEMBER)
    if tier != WITHOUT_A_MEMBER:
        yield (
            f"data_tier is {tier}, but database_external is true: a replica is for those who run the database. "
            f"Set data_tier to {WITHOUT_A_MEMBER}, or let this project run the database."
        )


class FilterModule:
    """Offer the filters to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"service_faults": service_faults, "secret_faults": secret_faults}
