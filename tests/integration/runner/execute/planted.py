"""Secrets to plant in a project, a playbook that does everything with them, and a search for them."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from tests.integration.runner.execute.project import encrypted, tasks

VAULT: dict[str, str | int] = {
    "vault_plain": "plain-KahY4oho",
    "vault_quotes": "quo\"te'd\\ooPh8aiN",
    "vault_korean": "비밀번호-oR3quee0",
    "vault_long": "a long pass phrase with very many words in it so that yaml folds it " * 3 + "Ahd5ooze",
    "vault_number": 7391846205,
    "vault_task_name": "task-eiCh3eet",
    "vault_loop": "loop-ieB8aeph",
    "vault_failing": "stderr-Eich9soo",
    "vault_ignored": "ignored-aeGh7ahS",
    "vault_encoded": "encoded-Ohph4ung",
    "vault_url": "url &?/ Quoo7eix",
    "vault_stats": "stats-eeW3quai",
    "vault_no_log": "nolog-Ahch2woo",
    "vault_template": "template-aiK0ohgh",
    "vault_warning": "warning-Zoo8shah",
    "vault_key": "-----BEGIN PRIVATE KEY-----\nMIIkeyline1AhVoo5\nMIIkeyline2ieXei3\n-----END PRIVATE KEY-----\n",
}
DEEP = "deep-OoG1quie"
INLINE = "inline-Uph5aing"
EXTRA = "extra-Thie4yoo"
OUTSIDE = "outside-Cai6jeew"
FILE = "file-eeJ9ahgh"
PASSWORD = "password-of-the-vault-Ud4oo"

PLAY = tasks("""
    - {name: Say, ansible.builtin.debug: {msg: "{{ vault_plain }} {{ vault_korean }} {{ deep[0].x }}"}}
    - {name: Quote, ansible.builtin.debug: {var: vault_quotes}}
    - {name: Long, ansible.builtin.debug: {msg: ["{{ vault_long }}", "{{ inline }}", "{{ extra }} {{ vault_number }}"]}}
    - {name: "Named {{ vault_task_name }}", ansible.builtin.debug: {msg: "{{ lookup('file', secret_file) }}"}}
    - {name: Loop, ansible.builtin.debug: {msg: "{{ item }}"}, loop: ["{{ vault_loop }}"]}
    - {name: Key, ansible.builtin.debug: {var: vault_key}}
    - {name: Encoded, ansible.builtin.debug: {msg: "{{ vault_encoded | b64encode }} {{ vault_url | urlencode }}"}}
    - {name: Stats, ansible.builtin.set_stats: {data: {said: "{{ vault_stats }}"}}}
    - {name: Silent, ansible.builtin.command: {cmd: "cat", stdin: "{{ vault_no_log }}"}, no_log: true}
    - name: Template
      ansible.builtin.copy: {content: "{{ vault_template }}", dest: "{{ target }}", mode: "0600"}
    - name: Broken but ignored
      ansible.builtin.fail: {msg: "{{ vault_ignored }} {{ lookup('env', 'OUTSIDE') }}"}
      ignore_errors: true
    - {name: Wait, ansible.builtin.wait_for: {path: "{{ go }}", timeout: 30}}
    - name: Fail
      ansible.builtin.command: {cmd: "sh -c 'cat >&2; exit 3'", stdin: "{{ vault_failing }}"}
""")


def everything() -> list[str]:
    whole = [str(value).strip() for key, value in VAULT.items() if key != "vault_key"]
    whole += [DEEP, INLINE, EXTRA, OUTSIDE, FILE, PASSWORD, "MIIkeyline1AhVoo5", "MIIkeyline2ieXei3"]
    known = ["KahY4oho", "ooPh8aiN", "oR3quee0", "Ahd5ooze", "Quoo7eix"]  # the tails, however the rest is written
    known += [base64.b64encode(b"encoded-Ohph4ung").decode(), urllib.parse.quote(str(VAULT["vault_url"]))]
    return whole + known


def _inside_base64(secret: bytes) -> list[bytes]:
    """Return what base64 of anything that holds a secret has in it, wherever the secret begins: of each third byte."""
    found = []
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret)
        found.append(coded[(0, 2, 3)[before] : len(coded) - 4 if (before + len(secret)) % 3 else None])
    return found


def found_in(text: bytes) -> list[str]:
    """Return the secrets that are in a text, as they are or in base64, as the job engine keeps what steps return."""
    return [
        secret
        for secret in everything()
        if any(each in text for each in (secret.encode(), *_inside_base64(secret.encode())))
    ]


def found_below(folder: Path) -> dict[str, list[str]]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): found for path in files if (found := found_in(path.read_bytes()))}


def plant(project: Path, password: Path, more: Mapping[str, str] | None = None) -> None:
    """Encrypt them into the variables of a project; `more`: variables that only one test has."""
    password.write_text(PASSWORD + "\n")
    folder = project / "inventory/group_vars/all"
    folder.mkdir()
    vault = encrypted(json.dumps({**VAULT, "deep": [{"x": DEEP}], **(more or {})}), password)
    (folder / "vault.yml").write_text(vault)
    inline = "\n".join("  " + line for line in encrypted(INLINE, password).splitlines())
    (folder / "inline.yml").write_text(f"inline: !vault |\n{inline}\n")
