"""Read values out of YAML or JSON data so that every refusal names file, key and value."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Never

from .errors import RefusedValueError

GROUP_NAME = re.compile(r"[a-z][a-z0-9_]*")
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
RESERVED_NAMES = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "fixed", "management"})
LONGEST_WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with the file and the key it was found under."""

    source: str
    key: str
    value: object

    def refuse(self, expected: str) -> Never:
        """Raise the error for this value."""
        raise RefusedValueError(self.source, self.key, self.value, expected)

    def child(self, name: object, value: object) -> Entry:
        """Give the entry one level below."""
        return Entry(self.source, f"{self.key}.{name}" if self.key else str(name), value)

    def mapping(self) -> dict[str, Entry]:
        """Read a mapping with text keys."""
        if not isinstance(self.value, Mapping):
            self.refuse("a mapping")
        for name in self.value:
            if not isinstance(name, str):
                self.refuse(f"text as every key, quoted where YAML reads something else (found {name!r})")
        return {str(name): self.child(name, value) for name, value in self.value.items()}

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Entry]:
        """Read a mapping whose keys are known; unknown and missing keys are refused."""
        found = self.mapping()
        allowed = ", ".join(sorted({*required, *optional}))
        for name, entry in found.items():
            if name not in required and name not in optional:
                raise RefusedValueError(self.source, entry.key, entry.value, f"no such key; known here: {allowed}")
        for name in required:
            if name not in found:
                self.refuse(f"the key {name} in it; known here: {allowed}")
        return found

    def items(self) -> list[Entry]:
        """Read a list."""
        if not isinstance(self.value, Sequence) or isinstance(self.value, str | bytes):
            self.refuse("a list")
        return [Entry(self.source, f"{self.key}[{index}]", value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """Read text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse("text")
        return str(self.value)

    def group_name(self) -> str:
        """Read a name that can be a group of the inventory."""
        name = self.text()
        if not GROUP_NAME.fullmatch(name) or name in RESERVED_NAMES:
            self.refuse(
                "a name of small letters, digits and _, beginning with a letter and none of "
                + ", ".join(sorted(RESERVED_NAMES))
            )
        return name

    def choice(self, allowed: Collection[str]) -> str:
        """Read one of a few words."""
        if not isinstance(self.value, str) or self.value not in allowed:
            self.refuse("one of " + ", ".join(allowed))
        return str(self.value)

    def distinct(self, found: Collection[str]) -> None:
        """Refuse the value if it was found before."""
        if self.value in found:
            self.refuse("a value that is not in the list before")

    def boolean(self) -> bool:
        """Read true or false."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def seconds(self) -> float:
        """Read a duration in seconds, more than 0 and at most ten minutes."""
        value = self.value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not 0 < value <= LONGEST_WAIT_SECONDS
        ):
            self.refuse(f"a number of seconds, more than 0 and at most {LONGEST_WAIT_SECONDS:.0f}")
        return float(value)
