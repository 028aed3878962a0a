"""Turn the machine's own apt sources into those of another Debian release (pure)."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Stanza = dict[str, str]

_ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>(?:\s+[^\s#]+)*)"
)
_KEPT_FIELDS = ("uris", "components", "signed-by", "check-valid-until")
_TITLES = {
    "uris": "URIs",
    "components": "Components",
    "signed-by": "Signed-By",
    "check-valid-until": "Check-Valid-Until",
}


def for_release(files: Mapping[str, str], *, machine_codename: str, codename: str) -> str:
    """Return deb822 sources of `codename` from the machine's sources files.

    `files` maps a file's path (`.list` or `.sources`) to its text. Only Debian's own entries are taken: the
    suite is exactly the machine's codename, -updates or -security, the component main is in it, and the key,
    where one is named, is that of the Debian archive. Raises LabError when no such entry exists.
    """
    stanzas = [
        rewritten
        for path, text in sorted(files.items())
        for stanza in (_deb822(text) if path.endswith(".sources") else _one_line(text))
        if (rewritten := _rewrite(stanza, machine_codename, codename)) is not None
    ]
    if not any(codename in stanza["suites"].split() for stanza in stanzas):
        raise LabError(
            f"None of the apt sources of this machine ({', '.join(sorted(files)) or 'no file'}) has the "
            f"Debian suite {machine_codename}, so there is no mirror to build {codename} from; add one with "
            "that suite name."
        )
    unique = dict.fromkeys(_render(stanza) for stanza in stanzas)
    return "\n".join(unique)


def uses_https(sources: str) -> bool:
    """Tell whether any source is fetched over TLS, so that the host needs the machine's own authorities."""
    return any(re.match(r"URIs:.*\bhttps:", line) is not None for line in sources.splitlines())


def _deb822(text: str) -> Iterable[Stanza]:
    for block in re.split(r"\n\s*\n", _without_comments(text)):
        stanza: Stanza = {}
        field = ""
        for line in block.splitlines():
            if line[:1] in {" ", "\t"} and field:
                stanza[field] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                field = name.strip().lower()
                stanza[field] = value.strip()
        enabled = stanza.get("enabled", "yes").lower() not in {
            "no",
            "false",
            "without",
            "off",
            "disable",
            "0",
        }
        if enabled and "deb" in stanza.get("types", "").split():
            yield stanza


def _one_line(text: str) -> Iterable[Stanza]:
    for line in _without_comments(text).splitlines():
        match = _ONE_LINE.match(line.strip())
        if match is None:
            continue
        options = dict(option.split("=", 1) for option in (match["options"] or "").split() if "=" in option)
        stanza = {name.lower(): value.replace(",", " ") for name, value in options.items()}
        yield stanza | {
            "uris": match["uri"],
            "suites": match["suite"],
            "components": match["components"].strip(),
        }


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def _rewrite(stanza: Stanza, machine_codename: str, codename: str) -> Stanza | None:
    ours = {f"{machine_codename}{suffix}": f"{codename}{suffix}" for suffix in ("", "-updates", "-security")}
    suites = [ours[suite] for suite in stanza.get("suites", "").split() if suite in ours]
    key = stanza.get("signed-by", "")
    archive_key = not key or PurePath(key).name.startswith("debian-archive-")
    if not suites or "main" not in stanza.get("components", "").split() or not archive_key:
        return None
    kept = {field: stanza[field] for field in _KEPT_FIELDS if field in stanza}
    return {**kept, "suites": " ".join(suites)}


def _render(stanza: Stanza) -> str:
    lines = ["Types: deb", f"URIs: {stanza['uris']}", f"Suites: {stanza['suites']}"]
    lines += [f"{_TITLES[field]}: {stanza[field]}" for field in _KEPT_FIELDS[1:] if field in stanza]
    return "\n".join(lines) + "\n"
