"""Keep the list of what differs on disk: whole, for its owner's eyes, and never over another one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from booking.errors import SidesError
from booking.sides.comparison import Finding, counts, only_on_old_side

if TYPE_CHECKING:
    from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class KeptList:
    """What differed at a moment. `checksum` covers the findings: the list is acted upon whole or not at all."""

    format: int
    compared_at: datetime
    since: datetime | None
    bookings_on_old_side: int
    only_on_new_side: int
    findings: tuple[Finding, ...]
    checksum: str = ""

    def summary(self) -> dict[str, Any]:
        """Return the list's figures as JSON fields."""
        return {
            "compared_at": self.compared_at.isoformat(),
            "bookings_on_old_side": self.bookings_on_old_side,
            "only_on_old_side": only_on_old_side(self.findings),
            "only_on_new_side": self.only_on_new_side,
            **counts(self.findings),
        }


_LIST = TypeAdapter(KeptList)
_FINDINGS = TypeAdapter(tuple[Finding, ...])


def write(path: Path, kept: KeptList) -> str:
    """Write the list and return what was done; SidesError when there is another list, which may be the only trace.

    The file appears whole or not at all, mode 0600, and is on the disk when this returns.
    """
    document = _LIST.dump_json(replace(kept, checksum=_checksum(kept.findings)), indent=1) + b"\n"
    if path.exists():
        if read(path).findings == kept.findings:
            return f"{path} holds this list already"
        raise SidesError(f"{path} holds another list; name another file, or move that one away first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)  # unlike a rename, it never replaces a list that somebody wrote meanwhile
    except FileExistsError as error:
        raise SidesError(f"{path} was written by somebody else just now; look at it first.") from error
    finally:
        Path(half).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return f"{path} written"


def read(path: Path) -> KeptList:
    """Read a list; SidesError when it is none, or is damaged."""
    try:
        kept = _LIST.validate_json(path.read_bytes())
    except OSError as error:
        raise SidesError(f"The list {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = (
            f"{path} is no list of `booking divergence` ({where or 'the file'}: {first['msg']}); name another one."
        )
        raise SidesError(message) from error
    if kept.format != FORMAT:
        raise SidesError(
            f"{path} has format {kept.format}; this release reads {FORMAT}: use the release that wrote it."
        )
    if kept.checksum != _checksum(kept.findings):
        raise SidesError(f"{path} is damaged: its findings do not match its checksum. Use a copy, or compare again.")
    return kept


def _checksum(findings: tuple[Finding, ...]) -> str:
    return hashlib.sha256(_FINDINGS.dump_json(findings)).hexdigest()
