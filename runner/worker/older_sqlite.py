"""Let DBOS work on an SQLite before 3.42, as Debian 12 has it.

The only thing that DBOS 3.4 uses and such a one lacks is `unixepoch('subsec')`, which gives null there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

KNOWS_SUBSEC = (3, 42, 0)


def connect_arguments(module: ModuleType) -> dict[str, Any]:
    """Return what a connection of this SQLite driver must be made with; nothing on a newer one."""
    if module.sqlite_version_info >= KNOWS_SUBSEC:
        return {}

    def connection(*arguments: Any, **named: Any) -> Any:
        made = module.Connection(*arguments, **named)
        made.create_function("unixepoch", 1, _unixepoch)
        return made

    return {"factory": connection}


def _unixepoch(argument: object) -> float:
    if argument != "subsec":
        raise ValueError(f"unixepoch({argument!r}) is not known here; install a newer SQLite.")
    return time.time()
