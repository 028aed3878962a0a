# SPDX-License-Identifier: GPL-3.0-or-later
"""Print every string of the vault files named on the command line, as JSON, into a pipe.

A program of its own, because Ansible's parser is needed and must not be loaded into the runner:
`python vault_values.py PASSWORD_FILE FILE...`. Nothing is written anywhere else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecretsContext, get_file_vault_secret


def strings(value: Any) -> Iterator[str]:
    """Yield every string and number in a loaded file, at any depth (keys are names, not secrets)."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)
    elif isinstance(value, bool) or value is None:
        return
    else:
        yield str(value)


def main(password_file: str, files: list[str]) -> int:
    """Print them. Exit code 1, with one line of error, when a file cannot be decrypted."""
    loader = DataLoader()
    try:
        secret = get_file_vault_secret(filename=password_file, loader=loader)
        secret.load()
        secrets = [("default", secret)]
        loader.set_vault_secrets(secrets)
        VaultSecretsContext.initialize(VaultSecretsContext(secrets))
        found = [text for file in files for text in _secrets_of(loader, VaultLib(secrets), Path(file))]
    except AnsibleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found))
    return 0


def _secrets_of(loader: DataLoader, vault: VaultLib, file: Path) -> list[str]:
    """Return what is secret in a file: all of an encrypted one, only the `!vault` values of a plain one."""
    content = file.read_bytes()
    if not content.startswith(b"$ANSIBLE_VAULT;"):
        return list(strings(list(_encrypted(loader.load_from_file(str(file), cache="none")))))
    text = vault.decrypt(content).decode("utf-8", "replace")
    try:
        data = loader.load(text, show_content=False)
    except AnsibleError:
        return [text]  # no YAML: a key, a certificate
    return list(strings(data)) if isinstance(data, Mapping | list) else [text]


def _encrypted(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _encrypted(each)
    elif isinstance(value, list):
        for each in value:
            yield from _encrypted(each)
    elif type(value).__name__ == "EncryptedString":
        yield value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
