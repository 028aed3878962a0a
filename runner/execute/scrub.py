"""Replace secrets in text. What is secret comes from vault files, secret files and secret variables."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path

from runner.errors import ExecutionError
from runner.execute.scratch import MEMORY

SHORTEST = 6
VAULT = b"$ANSIBLE_VAULT;"
HIDDEN = "***"
FOLDERS = ("group_vars", "host_vars", "vars", "inventories", "playbooks", "secrets")
PROGRAM = Path(__file__).with_name("vault_values.py")
LARGEST_SECRET_FILE = 65_536
Scrub = Callable[[str], str]


def scrubber(secrets: Iterable[str]) -> Scrub:
    """Return a function that puts *** in the place of each secret of six characters or more.

    Known in other clothes too: as JSON and Python write them, in base64, in URLs, line by line, and with other white
    space between the words (YAML folds long text).
    """
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
    if not forms:
        return str
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(r"\s+".join(map(re.escape, form.split())) for form in longest_first))
    return lambda text: pattern.sub(HIDDEN, text)


def _forms(secret: str) -> set[str]:
    lines = [line.strip() for line in secret.splitlines() if not line.startswith("-----")]
    forms = {secret.strip(), *lines}
    for each in [secret, secret.strip()]:
        forms |= {json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1], repr(each)[1:-1]}
        forms |= {
            urllib.parse.quote(each, safe=""),
            urllib.parse.quote(each),
            urllib.parse.quote_plus(each),
            each.replace("'", "''"),
        }
        encoded = base64.b64encode(each.encode()).decode()
        forms |= {encoded, encoded.rstrip("=")}
    return {form for form in forms if form.strip()}


def content_of(files: Iterable[Path]) -> list[str]:
    """Return the content of files, and of all files below folders. Raises ExecutionError when one cannot be read."""
    found: list[str] = []
    for entry in files:
        for file in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            if not file.is_file():
                continue
            try:
                found.append(file.read_bytes()[:LARGEST_SECRET_FILE].decode("utf-8", "replace"))
            except OSError as error:
                raise ExecutionError(f"Secret file {file} cannot be read: {error}. Nothing was started.") from error
    return found


class VaultValues:
    """The values in the vault files of projects, decrypted again only when a file changed. In memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[tuple[str, int, int], ...], list[str]] = {}

    def values(self, folders: Iterable[Path], password_file: Path) -> list[str]:
        """Return every secret below the folders. Raises ExecutionError when a vault file cannot be decrypted."""
        files = sorted({file for folder in folders for file in _vault_files(folder)})
        key = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in [password_file, *files])
        with self._lock:
            if key not in self._known:
                self._known = {key: _decrypted(password_file, files)}
            return self._known[key]


def _vault_files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent) / name
            if _has_vault(path):
                found.append(path.resolve())
    return found


def _has_vault(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(len(VAULT))
            return head == VAULT or (path.suffix in {".yml", ".yaml"} and VAULT in stream.read())
    except OSError:
        return False


def _decrypted(password_file: Path, files: list[Path]) -> list[str]:
    if not files:
        return []
    command = [sys.executable, "-I", str(PROGRAM), str(password_file), *map(str, files)]
    environment = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8", "ANSIBLE_LOCAL_TEMP": str(MEMORY)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    if done.returncode != 0:
        raise ExecutionError(f"The vault cannot be read with {password_file}: {done.stderr.strip()[-300:]}")
    return [str(each) for each in json.loads(done.stdout)]
