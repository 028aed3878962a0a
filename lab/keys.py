"""Make the operator's and the hosts' SSH keys, and keep the operator's known_hosts true."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lab.paths import Paths

_KIND = "ssh-ed25519"


def ensure_operator_key(paths: Paths) -> bool:
    """Make the operator's key unless it exists; return whether it was made."""
    paths.operator.mkdir(parents=True, exist_ok=True)
    paths.operator.chmod(0o700)
    return _ensure(paths.operator_key, "operator@understudy-lab")


def ensure_runner_key(paths: Paths) -> bool:
    """Make the key of the sites' runners unless it exists; return whether it was made."""
    paths.operator.mkdir(parents=True, exist_ok=True)
    return _ensure(paths.runner_key, "runner@understudy-lab")


def operator_public_key(paths: Paths) -> str:
    """Return the line for authorized_keys."""
    return paths.operator_key.with_suffix(".pub").read_text()


def host_key(paths: Paths, name: str) -> tuple[str, str]:
    """Return a host's private and public key; they are made once and stay the same until lab-down."""
    paths.host_keys.mkdir(parents=True, exist_ok=True)
    paths.host_keys.chmod(0o700)
    file = paths.host_keys / name
    _ensure(file, name)
    return file.read_text(), _public(file).read_text()


def trust(paths: Paths, name: str, addresses: Iterable[str], public_key: str) -> None:
    """Write a host's key to the operator's known_hosts, in place of older ones of its name and addresses."""
    names = [name, *dict.fromkeys(addresses)]
    kind, key = public_key.split()[:2]
    with _changing(paths) as lines:
        kept = [line for line in lines if not set(line.split(" ", 1)[0].split(",")) & set(names)]
        lines[:] = [*kept, f"{','.join(names)} {kind} {key}"]


def distrust(paths: Paths, name: str) -> None:
    """Take a host out of the operator's known_hosts."""
    with _changing(paths) as lines:
        lines[:] = [line for line in lines if name not in line.split(" ", 1)[0].split(",")]


@contextmanager
def _changing(paths: Paths) -> Iterator[list[str]]:
    paths.operator.mkdir(parents=True, exist_ok=True)
    with paths.known_hosts.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = paths.known_hosts
        lines = file.read_text().splitlines() if file.exists() else []
        before = list(lines)
        yield lines
        if lines != before or not file.exists():
            unfinished = file.with_suffix(".new")
            unfinished.write_text("".join(f"{line}\n" for line in lines))
            unfinished.chmod(0o600)
            unfinished.replace(file)


def _ensure(file: Path, comment: str) -> bool:
    if file.exists() and _public(file).exists():
        return False
    unfinished = file.with_name(f"{file.name}.new")
    for old in (file, _public(file), unfinished, _public(unfinished)):
        old.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", _KIND.removeprefix("ssh-"), "-N", "", "-C", comment, "-f", str(unfinished)])
    _public(unfinished).replace(_public(file))
    unfinished.replace(file)
    return True


def _public(file: Path) -> Path:
    return file.with_name(f"{file.name}.pub")
