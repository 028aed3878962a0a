"""Check sealed folders: every file, every signature, and the chain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.errors import InvalidRequest, Refused
from runner.evidence import folders
from runner.evidence.manifest import (
    HEAD,
    MANIFEST,
    SIGNATURE,
    Finding,
    Head,
    Sealed,
    chain,
    read_head,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.evidence.signing import Signers


def verify(root: Path, names: Sequence[str], signers: Signers, anchor: str = "") -> list[Finding]:
    """Return all that is wrong with the folders of these names, or with all and their chain when none is named.

    `anchor`: the SHA-256 of a manifest that was noted elsewhere and must be in the chain. Raises InvalidRequest for a
    folder that does not exist, SettingsError when signatures cannot be checked.
    """
    there = {folder.name: folder for folder in folders.every(root)}
    if unknown := [name for name in names if name not in there]:
        raise InvalidRequest(f"{root} has no folder {unknown[0]}; `understudy evidence list` shows what there is.")
    findings: list[Finding] = []
    sealed: dict[str, Sealed] = {}
    for name, folder in there.items():
        try:
            seal = folders.sealed(folder)
        except ValueError as error:
            if not names or name in names:
                findings.append(Finding(name, f"{name}/{MANIFEST} cannot be read: {error}."))
            continue
        if seal:
            sealed[name] = seal
        if not names or name in names:
            findings += _folder(folder, seal, signers)
    findings += _links(sealed, names) if names else _whole(root, sealed, signers)
    if anchor and anchor not in {each.sha256 for each in sealed.values()}:
        findings.append(
            Finding(HEAD, f"No folder has the manifest {anchor}, which was noted: it was removed or replaced.")
        )
    return findings


def _folder(folder: Path, seal: Sealed | None, signers: Signers) -> Iterator[Finding]:
    name = folder.name
    if seal is None:
        sentence = (
            f"{name} is not sealed: what is in it may be of any time. Seal it when its drill or failover has ended."
        )
        yield Finding(name, sentence)
        return
    yield from _files(folder, seal.manifest.files)
    signature = folder / SIGNATURE
    if not signature.is_file():
        yield Finding(name, f"{name}/{MANIFEST} is not signed: {SIGNATURE} is missing.")
    elif why := signers.refusal((folder / MANIFEST).read_bytes(), signature.read_bytes(), seal.manifest.sealed_at):
        yield Finding(name, f"{name}/{SIGNATURE} does not count: {why}.")


def _files(folder: Path, promised: Mapping[str, str]) -> Iterator[Finding]:
    name = folder.name
    try:
        found = folders.files(folder)
    except Refused as error:
        yield Finding(name, str(error))
        return
    for file in sorted(promised.keys() | found.keys()):
        if file not in found:
            yield Finding(name, f"{name}/{file} is missing; it was sealed.")
        elif file not in promised:
            yield Finding(name, f"{name}/{file} was added after the folder was sealed.")
        elif found[file] != promised[file]:
            yield Finding(name, f"{name}/{file} was changed after it was sealed.")


def _links(sealed: Mapping[str, Sealed], names: Sequence[str]) -> list[Finding]:
    """Check how the named folders follow those before them; the end of the chain is not theirs to answer for."""
    asked = set(names) | {sealed[name].manifest.previous for name in names if name in sealed}
    return [each for each in chain(sealed, None) if each.folder in asked]


def _whole(root: Path, sealed: Mapping[str, Sealed], signers: Signers) -> Iterator[Finding]:
    head: Head | None = None
    if (root / HEAD).is_file():
        try:
            head = read_head((root / HEAD).read_bytes())
            last = sealed.get(head.name)
            at = last.manifest.sealed_at if last else datetime.now(UTC)
            if why := signers.refusal(head.signed_bytes(), head.signature.encode(), at):
                yield Finding(HEAD, f"The signature in {HEAD} does not count: {why}.")
        except ValueError as error:
            yield Finding(HEAD, f"{HEAD} cannot be read: {error}.")
    yield from chain(sealed, head)
    for name in folders.strangers(root):
        yield Finding(name, f"{name} lies beside the folders of evidence and is none.")
