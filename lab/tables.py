"""Load, read and remove the lab's nftables tables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lab import rules
from lab.commands import attempt, run
from lab.links import inside

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK = re.compile(r'^table (?P<table>\w+ \w+) \{|^\s+comment "(?P<mark>[^"]+)"', re.MULTILINE)


def ensure(namespace: str | None, wanted: str) -> bool:
    """Load a set of tables unless exactly these are loaded; return whether anything changed.

    Loading replaces the tables as one transaction, with empty fault sets.
    """
    if is_loaded(namespace, wanted):
        return False
    run(inside(namespace, "nft", "--file", "-"), input_text=wanted)
    return True


def is_loaded(namespace: str | None, wanted: str) -> bool:
    """Tell whether exactly these tables are loaded, whatever their fault sets hold."""
    return marks(wanted).items() <= marks(_listed(namespace)).items()


def remove(namespace: str | None, *names: str) -> None:
    """Remove tables, those that exist."""
    script = "".join(f"table {name} {{\n}}\ndelete table {name}\n" for name in names)
    run(inside(namespace, "nft", "--file", "-"), input_text=script)


def present(namespace: str | None) -> list[str]:
    """Return the lab's tables that exist."""
    listed = run(inside(namespace, "nft", "list", "tables")).splitlines()
    ours = (rules.OPERATOR_TABLE, rules.WAN_TABLE, rules.PORTS_TABLE)
    return [name for line in listed if (name := line.removeprefix("table ")) in ours]


def change(namespace: str, script: str) -> None:
    """Run nft commands as one transaction."""
    run(inside(namespace, "nft", "--file", "-"), input_text=script)


def elements(namespace: str, table: str, name: str) -> list[str]:
    """Return the elements of a set as `a` or `a . b`; none when the set does not exist."""
    result = attempt(inside(namespace, "nft", "--json", "list", "set", *table.split(), name))
    if result.returncode != 0:
        return []
    found = next(item["set"] for item in json.loads(result.stdout)["nftables"] if "set" in item)
    return [_element(each) for each in found.get("elem", ())]


def delete_elements(namespace: str, table: str, name: str, wanted: Iterable[str]) -> None:
    """Take elements out of a set, those that are in it."""
    if found := sorted(set(wanted) & set(elements(namespace, table, name))):
        change(namespace, f"delete element {table} {name} {{ {', '.join(found)} }}\n")


def chains() -> dict[str, dict[str, Any]]:
    """Return every chain of the operator's namespace by `family table name`."""
    items = json.loads(run(["nft", "--json", "list", "chains"]))["nftables"]
    listed = [item["chain"] for item in items if "chain" in item]
    return {f"{chain['family']} {chain['table']} {chain['name']}": chain for chain in listed}


def forbidding_chains() -> list[str]:
    """Return the chains of the operator's namespace that forward nothing but what they know."""
    return [name for name, chain in chains().items() if (chain.get("hook"), chain.get("policy")) == ("forward", "drop")]


def marks(listing: str) -> dict[str, str]:
    """Return which rules each table of a listing was made from (pure)."""
    found: dict[str, str] = {}
    table = ""
    for match in _MARK.finditer(listing):
        if match["table"]:
            table = match["table"]
        elif match["mark"].startswith("understudy "):
            found[table] = match["mark"]
    return found


def _listed(namespace: str | None) -> str:
    return run(inside(namespace, "nft", "--stateless", "list", "ruleset"))


def _element(element: Any) -> str:
    if isinstance(element, dict) and "concat" in element:
        return " . ".join(_element(part) for part in element["concat"])
    if isinstance(element, dict) and "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(element)
