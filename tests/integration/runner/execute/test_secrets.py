"""Twenty secrets go in, and none is found anywhere afterwards."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from runner.errors import ExecutionError
from runner.execute.lease import Lease
from runner.execute.request import PlaybookEvent
from runner.execute.run import Executor
from runner.model import Ending, RunOutcome
from tests.integration.runner.execute.planted import (
    EXTRA,
    FILE,
    OUTSIDE,
    PLAY,
    VAULT,
    found_below,
    found_in,
    plant,
)
from tests.integration.runner.execute.project import Stage, environment, make_project, now, until


def prepare(root: Path) -> Stage:
    project = make_project(root / "project")
    (root / "home").mkdir()
    (root / "secret").write_text(FILE + "\n")
    plant(project, root / "password")
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
