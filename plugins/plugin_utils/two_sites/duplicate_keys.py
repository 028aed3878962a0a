"""Find keys that stand twice in a YAML mapping: YAML readers keep the last one without a word."""

from __future__ import annotations

import yaml

from .errors import RefusedValueError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def refuse_duplicate_keys(file: str, text: str) -> None:
    """Raise RefusedValueError for the first key that a mapping of the text has twice.

    Text that is no YAML passes: whoever reads it says so better.
    """
    try:
        root = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError:
        return
    waiting: list[tuple[str, yaml.Node]] = [("", root)] if root else []
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += _children(file, path, node)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{path}[{index}]", each) for index, each in enumerate(node.value)]


def _children(file: str, path: str, node: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
    children: list[tuple[str, yaml.Node]] = []
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        name = f"{path}.{key.value}" if path else key.value
        line = key.start_mark.line + 1
        if name in lines:
            raise RefusedValueError(
                file, name, key.value, f"a key that stands once; it is in lines {lines[name]} and {line}"
            )
        lines[name] = line
        children.append((name, value))
    return children
