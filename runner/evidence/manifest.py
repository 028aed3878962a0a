"""What a sealed folder says of itself, and whether the chain of folders is whole (pure).

Pure: values, bytes and findings; nothing is read here.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
HEAD = "head.json"


class Kind(enum.StrEnum):
    """What a folder is evidence of."""

    DRILL = "drill"
    FAILOVER = "failover"
    FAILBACK = "failback"
    PROOF = "proof"
    REHEARSAL = "rehearsal"


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """A folder's manifest: `files` by path with their SHA-256; `previous_sha256` is that of the manifest before it."""

    name: str
    kind: Kind
    sealed_at: datetime
    number: int
    files: Mapping[str, str]
    previous: str = ""
    previous_sha256: str = ""

    def to_bytes(self) -> bytes:
        """Write it; the same manifest is always the same bytes."""
        return written(
            dataclasses.asdict(self) | {"format": FORMAT, "sealed_at": self.sealed_at.isoformat(timespec="seconds")}
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Which folder was sealed last, so that one cut off the end is missed; its signature is in the same file."""

    name: str
    number: int
    sha256: str
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """Write what the signature covers."""
        return written({"name": self.name, "number": self.number, "sha256": self.sha256})

    def to_bytes(self) -> bytes:
        """Write all of it."""
        return written(dataclasses.asdict(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a folder of evidence, as a sentence that names folder and file."""

    folder: str
    sentence: str


@dataclasses.dataclass(frozen=True, slots=True)
class Sealed:
    """A manifest as it lies in a folder of that name, with its own SHA-256."""

    folder: str
    manifest: Manifest
    sha256: str


def written(value: Mapping[str, object]) -> bytes:
    """Write JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def digest(content: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest. Raises ValueError when it is none."""
    try:
        given = json.loads(content)
        if given.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        kind, sealed_at = Kind(given.pop("kind")), datetime.fromisoformat(given.pop("sealed_at"))
        manifest = Manifest(**given, kind=kind, sealed_at=sealed_at)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"it is no manifest ({error})") from error
    if not isinstance(manifest.files, dict) or not isinstance(manifest.number, int):
        raise ValueError("it is no manifest (files, number)")  # noqa: TRY004 - one error for all that is no manifest
    return manifest


def read_head(content: bytes) -> Head:
    """Read a head. Raises ValueError when it is none."""
    try:
        return Head(**json.loads(content))
    except TypeError as error:
        raise ValueError(f"it is no head of a chain ({error})") from error


def chain(sealed: Mapping[str, Sealed], head: Head | None) -> Iterator[Finding]:
    """Say where the chain of these folders is broken: one that is missing, replaced, renamed or out of its order."""
    by_name = {each.manifest.name: each for each in sealed.values()} | {
        name: each for name, each in sealed.items() if each.manifest.name == name
    }
    for each in ordered(sealed):
        yield from _link(each, by_name)
    followed = Counter(each.manifest.previous for each in sealed.values())
    for name, count in sorted(followed.items()):
        if count > 1:
            both = " and ".join(each.folder for each in ordered(sealed) if each.manifest.previous == name)
            yield Finding(name or both, f"{both} both say that they follow {name or 'nothing'}; only one can.")
    yield from _end(by_name, head)


def ordered(sealed: Mapping[str, Sealed]) -> list[Sealed]:
    """Return the folders in the order in which they were sealed."""
    return sorted(sealed.values(), key=lambda each: (each.manifest.number, each.folder))


def _link(this: Sealed, by_name: Mapping[str, Sealed]) -> Iterator[Finding]:
    manifest = this.manifest
    if manifest.name != this.folder:
        yield Finding(this.folder, f"{this.folder} holds the manifest of {manifest.name}: it was renamed or exchanged.")
    if not manifest.previous:
        if manifest.number != 1:
            yield Finding(this.folder, f"{this.folder} is number {manifest.number} and says that it follows nothing.")
        return
    before = by_name.get(manifest.previous)
    if before is None:
        sentence = f"{manifest.previous} is missing or not sealed: {this.folder} was sealed after it."
        yield Finding(manifest.previous, sentence)
    elif before.sha256 != manifest.previous_sha256:
        sentence = f"{manifest.previous} is not the folder that {this.folder} was sealed after: it was replaced."
        yield Finding(manifest.previous, sentence)
    elif before.manifest.number != manifest.number - 1:
        sentence = f"{this.folder} is number {manifest.number} and follows number {before.manifest.number}."
        yield Finding(this.folder, sentence)


def _end(by_name: Mapping[str, Sealed], head: Head | None) -> Iterator[Finding]:
    if head is None:
        if by_name:
            yield Finding(HEAD, f"{HEAD} is missing: a folder cut off the end is not missed. Seal the last one again.")
        return
    last = by_name.get(head.name)
    if last is None:
        yield Finding(head.name, f"{head.name} is missing or not sealed: {HEAD} says that it was the last.")
    elif last.sha256 != head.sha256:
        yield Finding(head.name, f"{head.name} is not the folder that {HEAD} names as the last: it was replaced.")
