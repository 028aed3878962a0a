"""Alertmanager's matchers: `alertname="BookingSlow"`, `severity=~"page|critical"`.

Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher. A missing label has the empty value.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SHAPE = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*', re.DOTALL)
ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
EXPECTED = """expected a matcher such as alertname="BookingSlow", with =, !=, =~ or !~"""


@dataclasses.dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. `pattern` stands for the whole value (anchored)."""

    label: str
    negated: bool
    pattern: re.Pattern[str]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil the condition."""
        return (self.pattern.fullmatch(labels.get(self.label, "")) is None) == self.negated


def parse(text: object) -> Matcher:
    """Read one matcher. Raises ValueError that says what was expected."""
    found = SHAPE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(EXPECTED)
    label, operator, quoted, bare = found.groups()
    # An escape that Alertmanager does not know stays as it is: "\d" is a digit of the pattern.
    value = bare if quoted is None else re.sub(r"\\(.)", _unescaped, quoted, flags=re.DOTALL)
    try:
        pattern = re.compile(value if "~" in operator else re.escape(value))
    except re.error as error:
        raise ValueError(f"expected a regular expression after {operator} ({error})") from error
    return Matcher(label, operator.startswith("!"), pattern)


def _unescaped(found: re.Match[str]) -> str:
    return ESCAPES.get(found[1], found[0])
