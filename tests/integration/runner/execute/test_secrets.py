"""Twenty secrets go in, and none is found anywhere afterwards."""

from __future__ import annotations

import base64
import json
import logging
import threading
import urllib.parse
from pathlib import Path

import pytest

from runner.errors import ExecutionError
from runner.execute.lease import Lease
from runner.execute.request import PlaybookEvent
from runner.execute.run import Executor
from runner.model import Ending, RunOutcome
from tests.integration.runner.execute.project import Stage, encrypted, environment, make_project, now, tasks, until

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


def found_in(text: bytes) -> list[str]:
    return [secret for secret in everything() if secret.encode() in text]


def found_below(folder: Path) -> dict[str, list[str]]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): found for path in files if (found := found_in(path.read_bytes()))}


def prepare(root: Path) -> Stage:
    project = make_project(root / "project")
    (root / "home").mkdir()
    (root / "password").write_text(PASSWORD + "\n")
    (root / "secret").write_text(FILE + "\n")
    vault = encrypted(json.dumps({**VAULT, "deep": [{"x": DEEP}]}), root / "password")
    (project / "inventory/group_vars/all").mkdir()
    (project / "inventory/group_vars/all/vault.yml").write_text(vault)
    inline = "\n".join("  " + line for line in encrypted(INLINE, root / "password").splitlines())
    (project / "inventory/group_vars/all/inline.yml").write_text(f"inline: !vault |\n{inline}\n")
    return Stage(project, root / "state", Lease(root / "state/lease"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["ordinary", "preloaded"])
def test_twenty_secrets_are_in_no_file_process_list_log_or_event(
    how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage = prepare(tmp_path)
    outside = environment(tmp_path / "home") | {"OUTSIDE": OUTSIDE}
    warm = stage.project if how == "preloaded" else None
    stage.executor = Executor(stage.state, now, outside, warm_project=warm)
    assert stage.executor.ready(30) == (how == "preloaded")
    go, target = tmp_path / "go", tmp_path / "target"
    request = stage.request(
        PLAY, vault_password_file=tmp_path / "password", secret_files=(tmp_path / "secret",),
        variables={"go": str(go), "target": str(target), "secret_file": str(tmp_path / "secret")},
        secret_variables={"extra": EXTRA},
    )  # fmt: skip
    stage.lease.renew(120)
    events: list[PlaybookEvent] = []
    outcomes: list[RunOutcome] = []
    run = threading.Thread(target=lambda: outcomes.append(stage.executor.run(request, events.append, stage.lease)))
    run.start()
    until(lambda: any(event.task == "Wait" for event in events), 40)
    seen = b"".join(
        Path(f"/proc/{pid}/{name}").read_bytes()
        for pid in stage.executor.remains(request.job_id)
        for name in ("cmdline", "environ")
    )
    assert b"ansible" in seen
    assert found_in(seen) == []
    go.touch()
    run.join(60)
    stage.executor.close()

    assert outcomes[0].ending is Ending.FAILED
    assert len(events) > 25, "the playbook did not get far enough to prove anything"
    assert target.read_text() == VAULT["vault_template"]
    assert found_in(repr(events).encode() + repr(outcomes).encode()) == []
    assert found_in(str([event.text for event in events]).encode()) == []
    assert found_in(caplog.text.encode()) == []
    assert found_below(stage.state) == {}
    assert found_below(stage.executor._memory) == {}
    assert found_below(tmp_path / "home") == {}
    assert found_below(stage.project) == {}
    assert "***" in stage.kept(request)


def test_a_vault_that_cannot_be_opened_starts_nothing(tmp_path: Path) -> None:
    stage = prepare(tmp_path)
    stage.executor = Executor(stage.state, now, environment(tmp_path / "home"))
    (tmp_path / "password").write_text("wrong\n")
    request = stage.request(PLAY, vault_password_file=tmp_path / "password")
    with pytest.raises(ExecutionError, match="vault cannot be read"):
        stage.run(request)
    assert not (stage.state / "jobs" / request.job_id).exists()
    stage.executor.close()
