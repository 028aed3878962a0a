"""Secrets go through the whole service, and none is found in anything that it keeps, shows or answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from runner.execute.scratch import memory_root
from tests.integration.runner.execute.planted import EXTRA, FILE, OUTSIDE, PLAY, VAULT, found_below, found_in, plant
from tests.integration.runner.installations import Installation
from tests.integration.runner.waiting import until


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    plant(made.folder / "project", made.folder / "password", {"vault_extra": EXTRA, "vault_file": FILE})
    plain = {
        "go": f"{tmp_path}/go", "target": f"{tmp_path}/target", "secret_file": f"{tmp_path}/secret",
        "extra": "{{ vault_extra }}",
    }  # fmt: skip
    (made.folder / "project/inventory/group_vars/all/plain.yml").write_text(json.dumps(plain))
    (made.folder / "secret").write_text(FILE)
    made.more = {"UNDERSTUDY_VAULT_PASSWORD_FILE": f"{tmp_path}/password", "OUTSIDE": OUTSIDE}
    made.playbook("bake_image", PLAY)
    yield made
    made.stop_all()


def _shown(pids: Iterable[int], *names: str) -> bytes:
    """Return what everybody on the machine can read about processes."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for pid in pids for name in names)


def _answers(installation: Installation, job: str) -> dict[str, str]:
    """Return what the API says of a job, and of everything."""
    head = {"Authorization": f"Bearer {installation.token}", "Accept": "text/event-stream"}
    stream = httpx.get(f"{installation.url}/jobs/{job}/events", headers=head, timeout=20).text
    paths = ("/jobs", f"/jobs/{job}", f"/jobs/{job}/events", "/ledger", "/metrics", "/capacity")
    return {path: installation.ask(path).text for path in paths} | {"stream": stream}


def test_planted_secrets_are_in_no_file_table_process_log_or_answer(installation: Installation) -> None:
    service = installation.ready(installation.serve())
    assert installation.run("submit", "bake_image").returncode == 0
    job = installation.job()
    until(lambda: '"Wait"' in installation.ask(f"/jobs/{job}/events").text, 120, "the playbook waits in its middle")
    runs = installation.processes() - installation.own()
    assert b"ansible-playbook" in _shown(runs, "cmdline")
    assert found_in(_shown(runs, "cmdline", "environ")) == []
    (installation.folder / "go").touch()
    until(lambda: installation.jobs()[0]["state"] == "failed", 120, "the job ended")

    answers = _answers(installation, job)
    assert "event: end" in answers["stream"]
    assert answers["stream"].count("data: ") > 25, "the playbook did not get far enough to prove anything"
    assert (installation.folder / "target").read_text() == VAULT["vault_template"]
    assert "***" in answers["stream"]
    assert {name: found for name, text in answers.items() if (found := found_in(text.encode()))} == {}
    assert found_in(_shown(installation.processes(), "cmdline")) == []
    assert set(found_in(_shown(installation.processes(), "environ"))) <= {OUTSIDE}  # the service was given it
    state = installation.folder / "state"
    assert {"store.db", "store.db-wal", "engine.db", "engine.db-wal"} <= {each.name for each in state.iterdir()}
    for folder in (state, memory_root(state), installation.folder / "home"):
        assert found_below(folder) == {}
        assert installation.token.encode() not in b"".join(each.read_bytes() for each in folder.rglob("*.db*"))
    assert found_in(installation.log.encode()) == []
    assert installation.token not in installation.log + "".join(answers.values())
    service.terminate()
    assert service.wait(30) == 0
    assert found_below(state) == {}  # also after the logs of the databases were written back
