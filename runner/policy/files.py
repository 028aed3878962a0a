"""The text of a YAML file becomes checked values; every error names file, key path and value (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import yaml
from pydantic import TypeAdapter, ValidationError

from runner.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN_KEY = frozenset({"unexpected_keyword_argument", "extra_forbidden"})


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars: `on` is a word, 18:00 and 2026-12-01 are texts; a key stands once."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own way)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping. Raises yaml.constructor.ConstructorError when a key stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return cast("dict[Any, Any]", super().construct_mapping(node, deep=deep))


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"(?:true|false)", "tf"),
    ("tag:yaml.org,2002:null", r"(?:~|null|)", "~n\0"),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
):
    _firsts = ["" if character == "\0" else character for character in _first]
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^{_pattern}$"), _firsts)


def checked[T](text: str, file: str, adapter: TypeAdapter[T], context: Mapping[str, object]) -> T:
    """Return the values that the text of `file` holds. Raises PolicyError: file, key path, value, what was expected."""
    try:
        held = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}:" if where else ""
        raise PolicyError(f"{file}:{line} {getattr(error, 'problem', None) or error}; expected YAML.") from error
    try:
        return adapter.validate_python(held, context=dict(context))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise PolicyError(f"{file}: {_sentence(first)}") from error


def _sentence(error: Any) -> str:
    path = written(error["loc"])
    if error["type"] in UNKNOWN_KEY or error["type"] == "invalid_key":
        # The value is not repeated: a secret may have been written under a wrong key.
        return f"{path} is not a key that is known here; remove it or look it up in docs/reference/policies.md."
    if error["type"] == "missing":
        return f"{path} is missing; add it."
    expected = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    expected = re.sub(r"^expected (greater|less)", r"expected a number \1", expected)
    if error["type"] in {"dataclass_type", "dict_type", "mapping_type"}:
        expected = "expected keys with values"
    if error["type"] in {"tuple_type", "list_type"}:
        expected = "expected a list"
    return f"{path} is {shown(error['input'])}; {expected}."


def written(path: Sequence[str | int]) -> str:
    """Write a key path the way people do: policies[2].cooldown."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "The file"


def shown(value: object) -> str:
    """Write a value for a message, not longer than 80 characters."""
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
