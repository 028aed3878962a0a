"""Read pages as a browser without JavaScript would. The only user of selectolax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_TYPED_INTO = {"text", "email", "tel", "search", "password", "number", "url"}
_NEVER_SENT = {"submit", "button", "reset", "image", "file"}


@dataclass(frozen=True)
class Form:
    """A form: where it goes, what it sends as it stands, and what can be ticked, typed into or chosen (value, text).

    `taken` are the boxes that cannot be ticked.
    """

    action: str
    method: str
    fields: tuple[tuple[str, str], ...]
    boxes: tuple[tuple[str, str], ...]
    taken: tuple[tuple[str, str], ...]
    blanks: tuple[str, ...]
    choices: dict[str, tuple[tuple[str, str], ...]]


class Page:
    """A parsed page."""

    def __init__(self, html: bytes) -> None:
        self._tree = LexborHTMLParser(html)

    def links(self, selector: str = "a[href]") -> list[str]:
        """List where the page's links lead, those that a CSS selector finds."""
        return [target for node in self._tree.css(selector) if (target := node.attributes.get("href"))]

    def forms(self) -> list[Form]:
        """List the page's forms."""
        return [_form(node) for node in self._tree.css("form")]

    def refresh(self) -> str:
        """Return where the page leads by itself, empty where it does not (`<meta http-equiv=refresh>`)."""
        for node in self._tree.css("meta[http-equiv][content]"):
            _, found, target = (node.attributes["content"] or "").partition("url=")
            if found and (node.attributes["http-equiv"] or "").lower() == "refresh":
                return target.strip("'\" ")
        return ""

    def text(self, selector: str) -> str:
        """Return the text of the first element that a CSS selector finds, empty without one."""
        found = self._tree.css_first(selector)
        return found.text(strip=True) if found else ""


def _form(form: LexborNode) -> Form:
    fields: list[tuple[str, str]] = []
    boxes: list[tuple[str, str]] = []
    blanks: list[str] = []
    taken: list[tuple[str, str]] = []
    choices: dict[str, tuple[tuple[str, str], ...]] = {}
    for node in form.css("input[name], select[name], textarea[name]"):
        attributes = node.attributes
        name, value = attributes["name"] or "", attributes.get("value") or ""
        kind = (attributes.get("type") or "text").lower() if node.tag == "input" else node.tag
        if "disabled" in attributes or kind in _NEVER_SENT:
            if kind == "checkbox":
                taken.append((name, value or "on"))
            continue
        if kind in {"checkbox", "radio"}:
            (fields if "checked" in attributes else boxes).append((name, value or "on"))
        elif kind == "select":
            choices[name] = tuple(_options(node))
        elif kind in _TYPED_INTO or kind == "textarea":
            blanks.append(name)
        else:
            fields.append((name, value))
    action = form.attributes.get("action") or ""
    method = (form.attributes.get("method") or "get").upper()
    return Form(action, method, tuple(fields), tuple(boxes), tuple(taken), tuple(blanks), choices)


def _options(select: LexborNode) -> list[tuple[str, str]]:
    """List (value, text) of the options that can be chosen."""
    texts = [(option.attributes, option.text(strip=True)) for option in select.css("option")]
    return [(attributes.get("value", text) or "", text) for attributes, text in texts if "disabled" not in attributes]
