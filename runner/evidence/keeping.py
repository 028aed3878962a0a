"""Keep what a failover showed: a folder that is whole from its first moment on, sealed with this machine's own key."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from runner.errors import InvalidRequest, Refused
from runner.evidence import folders, sealing, signing, verifying
from runner.evidence.manifest import MANIFEST, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.evidence.manifest import Sealed

# Of folders that are written here, and nowhere else.
_NAME = re.compile(r"^\d{8}T\d{6}Z-(failover|failback|proof|rehearsal)$")


def keep(
    folder: Path, kind: Kind, content: Mapping[str, Any], *, key: Path, signers: Path, now: datetime
) -> tuple[Sealed, list[str]]:
    """Write a folder and seal it; return its seal, and the names of folders that an interrupted run had left unsealed.

    `content`: file name to value; a list in a `.jsonl` is written line by line, everything else as JSON. A key that is
    not there is made, and may sign. Raises InvalidRequest for what is no evidence, Refused when the folder is there.
    """
    named = _NAME.match(folder.name)
    if named is None or named[1] != kind:
        raise InvalidRequest(f"{folder.name} is no name for a {kind}; expected one like 20261128T210000Z-{kind}.")
    if wrong := [name for name in content if "/" in name or not name.endswith((".json", ".jsonl"))]:
        raise InvalidRequest(f"{wrong[0]!r} is no file of this folder; expected names such as result.json.")
    if not content:
        raise InvalidRequest(f"There is nothing to keep in {folder.name}; nothing is evidence of nothing.")
    root = folder.parent
    root.mkdir(parents=True, exist_ok=True)
    signing.make_ready(key, signers)
    signer = signing.Signer(key)
    left = [
        sealing.seal(each, Kind(match[1]), signer, now)[0].folder
        for each in folders.every(root)
        if (match := _NAME.match(each.name)) and not (each / MANIFEST).exists()
    ]  # of runs that were interrupted between the two steps: what is there is whole
    _write(folder, content)
    sealed, _ = sealing.seal(folder, kind, signer, now)
    if findings := verifying.verify(root, [folder.name], signing.Signers(signers)):
        raise Refused(" ".join(each.sentence for each in findings))
    return sealed, left


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    """Write a folder beside the place with the evidence, and move it there in one step."""
    if folder.exists():
        raise Refused(f"{folder.name} is there already; evidence is never written over. Nothing was done.")
    half = folder.parent.with_name(f"{folder.parent.name}_unfinished") / folder.name
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for name, value in content.items():
        (half / name).write_text(_text(name, value), encoding="utf-8")
        folders.to_disk(half / name)
    folders.to_disk(half)
    half.rename(folder)
    folders.to_disk(folder.parent)


def _text(name: str, value: Any) -> str:
    if name.endswith(".jsonl"):
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in value)
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
