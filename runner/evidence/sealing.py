"""Seal a folder: hash its files, chain it to the one before, sign it; in one step, once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.errors import InvalidRequest, Refused
from runner.evidence import folders
from runner.evidence.manifest import HEAD, MANIFEST, SIGNATURE, Head, Manifest, Sealed, digest, ordered, read_head

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from runner.evidence.manifest import Kind
    from runner.evidence.signing import Signer


def seal(folder: Path, kind: Kind, signer: Signer, now: datetime) -> tuple[Sealed, bool]:
    """Seal a folder and return its seal, and whether it is new: an unchanged sealed folder stays as it is.

    `now` is aware, in UTC. Raises InvalidRequest when there is nothing to seal, Refused when a seal is broken,
    SettingsError when the key cannot sign. Killed at any moment it leaves the folder sealed or not, never half.
    """
    if folder.is_symlink() or not folder.is_dir() or folder.name.startswith("."):
        raise InvalidRequest(f"{folder} is no folder of evidence; name a folder that exists.")
    root = folder.parent
    with folders.locked(root):
        for left in [*folder.glob(f"{folders.HALF}*"), *root.glob(f"{folders.HALF}*")]:
            left.unlink()  # of a seal that was interrupted
        chain = _chain(root)
        there = chain.get(folder.name)
        if there is None:
            there = _new(folder, kind, signer, now, chain)
            chain[folder.name] = there
            new = True
        else:
            _refuse_changes(folder, there)
            new = False
        _point_at(root, ordered(chain)[-1], signer)
    return there, new


def _chain(root: Path) -> dict[str, Sealed]:
    """Read what is sealed. A manifest that cannot be read stops the chain: nothing may follow it."""
    found: dict[str, Sealed] = {}
    for folder in folders.every(root):
        try:
            sealed = folders.sealed(folder)
        except ValueError as error:
            raise Refused(
                f"{folder.name}/{MANIFEST} cannot be read: {error}. Run `understudy evidence verify`."
            ) from error
        if sealed:
            found[folder.name] = sealed
    return found


def _new(folder: Path, kind: Kind, signer: Signer, now: datetime, chain: dict[str, Sealed]) -> Sealed:
    hashes = folders.files(folder)
    if not hashes:
        raise InvalidRequest(f"{folder} is empty; nothing is evidence of nothing.")
    for name in hashes:
        folders.to_disk(folder / name)
    before = ordered(chain)[-1] if chain else None
    manifest = Manifest(
        name=folder.name,
        kind=kind,
        sealed_at=now,
        number=before.manifest.number + 1 if before else 1,
        files=hashes,
        previous=before.folder if before else "",
        previous_sha256=before.sha256 if before else "",
    )
    content = manifest.to_bytes()
    _write(folder, content, signer)
    return Sealed(folder.name, manifest, digest(content))


def _refuse_changes(folder: Path, sealed: Sealed) -> None:
    """Refuse to seal over a seal that no longer holds: that would hide what happened."""
    if not (folder / SIGNATURE).is_file():
        raise Refused(f"{folder.name}/{SIGNATURE} is missing; whoever sealed the folder signed it. Nothing was done.")
    if folders.files(folder) != sealed.manifest.files:
        raise Refused(
            f"{folder.name} was sealed, and its files were changed since; `understudy evidence verify` names them. "
            "Nothing was done: what is new belongs in a folder of its own."
        )


def _write(folder: Path, content: bytes, signer: Signer) -> None:
    """Write a manifest with its signature. The manifest comes last: where it is, its signature is."""
    half = folder / f"{folders.HALF}{MANIFEST}"
    try:
        signature = _signed(half, content, signer)
        signature.rename(folder / SIGNATURE)
        half.rename(folder / MANIFEST)
    finally:
        half.unlink(missing_ok=True)
    folders.to_disk(folder)


def _point_at(root: Path, last: Sealed, signer: Signer) -> None:
    """Name the folder that was sealed last, in one file, unless it is named already."""
    head = Head(last.folder, last.manifest.number, last.sha256)
    if (root / HEAD).is_file() and _same(root / HEAD, head):
        return
    half = root / f"{folders.HALF}{HEAD}"
    try:
        signature = _signed(half, head.signed_bytes(), signer)
        half.write_bytes(dataclasses.replace(head, signature=signature.read_text(encoding="ascii")).to_bytes())
        folders.to_disk(half)
        signature.unlink()
        half.rename(root / HEAD)
    finally:
        half.unlink(missing_ok=True)
    folders.to_disk(root)


def _same(file: Path, head: Head) -> bool:
    try:
        return read_head(file.read_bytes()).signed_bytes() == head.signed_bytes()
    except ValueError:
        return False


def _signed(half: Path, content: bytes, signer: Signer) -> Path:
    """Write a file that is not in its place yet, sign it, and return its signature."""
    half.write_bytes(content)
    signature = signer.sign(half)
    for file in (half, signature):
        file.chmod(0o644)
        folders.to_disk(file)
    return signature
