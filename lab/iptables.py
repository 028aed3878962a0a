"""Read iptables, and take back what podman's own networks leave in it."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

from lab.commands import attempt, run

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLES = ("filter", "nat")
# CNI's and netavark's chains; both stay behind, empty, when the last container is gone.
_CHAIN = re.compile(r"^:((?:CNI-|NETAVARK)\S*) ", re.MULTILINE)
_USE = re.compile(r" -[sd] \d")


def rules_with(mark: str) -> list[str]:
    """Return the rules whose text has a mark; none where iptables is not installed."""
    return [line for table in _TABLES for line in _saved(table) if line.startswith("-A") and mark in line]


def forget_podman() -> None:
    """Remove podman's chains, once no container of anybody uses them."""
    for table in _TABLES:
        for arguments in forgetting(_saved(table)):
            attempt(["iptables", "-t", table, *arguments])


def forgetting(saved: Sequence[str]) -> list[list[str]]:
    """Return the iptables arguments that remove podman's chains from a table as iptables-save shows it (pure).

    None while a rule in them is for an address, which is that of a container or of a network in use.
    """
    chains = _CHAIN.findall("\n".join(saved))
    rules = [shlex.split(line) for line in saved if line.startswith("-A")]
    if any(_USE.search(line) and line.split()[1] in chains for line in saved if line.startswith("-A")):
        return []
    jumps = [rule for rule in rules if rule[1] not in chains and rule[-1] in chains]
    return [["-D", *rule[1:]] for rule in jumps] + [["-F", name] for name in chains] + [["-X", name] for name in chains]


def _saved(table: str) -> list[str]:
    if shutil.which("iptables-save") is None:
        return []
    return run(["iptables-save", "--table", table]).splitlines()
