"""A run ends when it must, with everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runner.errors import ExecutionError
from runner.execute.lease import Lease, seconds_since_boot
from runner.execute.processes import alive
from runner.execute.request import PlaybookEvent
from runner.execute.run import Executor
from runner.model import Ending, RunOutcome
from tests.integration.runner.execute.project import Stage, environment, make_project, now, tasks, until

# Detaches in every way there is: own session, twice forked, deaf to TERM, without the marker in its environment.
STUBBORN = """
import os, signal, sys, time
if os.fork(): sys.exit(0)
os.setsid()
if os.fork(): sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(300)
"""


def endless(stage: Stage, name: str) -> tuple[str, Path]:
    """Return a playbook that starts a stubborn process and then waits; and the file with the process's number."""
    script, pid = stage.project / f"{name}.py", stage.project / f"{name}.pid"
    pid.unlink(missing_ok=True)
    script.write_text(STUBBORN)
    return tasks(f"""
    - name: Detach
      ansible.builtin.command: {{cmd: "env -i {sys.executable} {script} {pid}"}}
    - name: Wait
      ansible.builtin.command: {{cmd: sleep 300}}
    - name: Never
      ansible.builtin.command: {{cmd: "touch {stage.project}/{name}.never"}}
"""), pid


class InBackground:
    def __init__(self, stage: Stage, text: str, **changes: object) -> None:
        self.request = stage.request(text, **changes)
        self.outcome: RunOutcome | None = None
        self._stage = stage
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.outcome, _ = self._stage.run(self.request)

    def ended(self) -> RunOutcome:
        self._thread.join(30)
        assert self.outcome is not None
        return self.outcome


def number(file: Path) -> int:
    until(lambda: file.exists() and file.read_text())
    return int(file.read_text())


def test_cancelled_is_said_when_nothing_is_left(stage: Stage) -> None:
    text, file = endless(stage, "cancelled")
    run = InBackground(stage, text)
    stubborn = number(file)
    assert stubborn in stage.executor.remains(run.request.job_id)
    assert stage.executor.cancel(run.request.job_id)
    outcome = run.ended()
    assert outcome.ending is Ending.CANCELLED
    assert "no process of it is left" in outcome.summary
    assert not alive(stubborn)
    assert stage.executor.remains(run.request.job_id) == []
    assert not (stage.project / "cancelled.never").exists()


def test_nothing_is_cancelled_when_nothing_runs(stage: Stage) -> None:
    assert not stage.executor.cancel("job-of-yesterday")


def test_a_run_ends_at_its_time_limit(stage: Stage) -> None:
    text, file = endless(stage, "limit")
    outcome, _ = stage.play(text, time_limit_seconds=8)
    assert outcome.ending is Ending.TIMED_OUT
    assert "its limit is 8 s" in outcome.summary
    assert not alive(number(file))


def test_what_a_successful_run_leaves_behind_is_ended(stage: Stage) -> None:
    script, file = stage.project / "left.py", stage.project / "left.pid"
    script.write_text(STUBBORN)
    outcome, _ = stage.play(tasks(f"    - ansible.builtin.command: {{cmd: '{sys.executable} {script} {file}'}}\n"))
    assert outcome.ending is Ending.SUCCEEDED
    assert not file.exists() or not alive(int(file.read_text() or 0))


def test_a_lapsed_lease_fences_the_run_at_once(stage: Stage) -> None:
    text, file = endless(stage, "fenced")
    run = InBackground(stage, text)
    stubborn = number(file)
    stage.lease.lapse()
    until(lambda: not alive(stubborn), 2)
    assert run.ended().ending is Ending.FENCED
    assert not (stage.project / "fenced.never").exists()


def test_without_a_lease_nothing_is_started(stage: Stage, tmp_path: Path) -> None:
    made = tmp_path / "made"
    request = stage.request(tasks(f"    - ansible.builtin.command: {{cmd: touch {made}}}\n"))
    outcome = stage.executor.run(request, lambda event: None, Lease(tmp_path / "never-renewed"))
    assert outcome.ending is Ending.FENCED
    assert not made.exists()


def test_ansible_itself_starts_no_task_without_a_lease(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(tasks(f"    - ansible.builtin.command: {{cmd: touch {tmp_path}/made}}\n", "localhost"))
    callbacks = Path(sys.modules[Executor.__module__].__file__ or "").with_name("callback")
    for seconds, code in ((-1, 75), (60, 0)):
        Lease(tmp_path / "lease").renew(seconds)
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), "-c", "local", str(play)],
            env=environment(tmp_path) | {"ANSIBLE_CALLBACK_PLUGINS": str(callbacks), "ANSIBLE_CALLBACKS_ENABLED":
                "understudy_lease", "UNDERSTUDY_LEASE": str(tmp_path / "lease")},
            capture_output=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert (tmp_path / "made").exists() == (code == 0)


def test_a_job_does_not_run_twice_at_once(stage: Stage) -> None:
    text, file = endless(stage, "twice")
    run = InBackground(stage, text)
    number(file)
    with pytest.raises(ExecutionError, match="runs in this process already"):
        stage.run(run.request)
    stage.executor.cancel(run.request.job_id)
    assert run.ended().ending is Ending.CANCELLED


def test_a_killed_guard_leaves_no_process_behind_that_carries_its_mark(stage: Stage) -> None:
    text, file = endless(stage, "guard")
    run = InBackground(stage, text)
    daemon = number(file)
    folder = stage.executor._memory
    guard = next(folder.glob("*/*/guard"))
    os.kill(int(guard.read_text().split()[0]), signal.SIGKILL)
    assert run.ended().ending is Ending.FAILED
    until(lambda: stage.executor.remains(run.request.job_id) == [])
    # One that shed session, parent and environment is nobody's any more: only a control group could still find it.
    if alive(daemon):
        os.kill(daemon, signal.SIGKILL)


def test_a_frozen_run_that_wakes_up_without_a_lease_starts_nothing_more(stage: Stage) -> None:
    file = stage.project / "steps"
    file.write_text("")
    one = f"    - ansible.builtin.raw: echo step >> {file}\n"
    run = InBackground(stage, tasks(one * 200))
    until(lambda: len(file.read_text().splitlines()) > 2)
    frozen = stage.executor.remains(run.request.job_id)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    stage.lease.renew_until(seconds_since_boot())  # the lease went by while the node stood still
    before = len(file.read_text().splitlines())
    for pid in reversed(frozen):  # Ansible first, its guard last: the worst order
        os.kill(pid, signal.SIGCONT)
    assert run.ended().ending is Ending.FENCED
    assert len(file.read_text().splitlines()) <= before + 1  # the one in flight may end


def test_nothing_runs_on_when_nobody_listens_any_more(stage: Stage) -> None:
    def deaf(event: PlaybookEvent) -> None:
        raise RuntimeError("the store is gone")

    text, _ = endless(stage, "deaf")
    request = stage.request(text)
    stage.lease.renew(60)
    with pytest.raises(RuntimeError, match="the store is gone"):
        stage.executor.run(request, deaf, stage.lease)
    assert stage.executor.remains(request.job_id) == []


def test_another_installation_with_a_job_of_the_same_name_is_left_alone(stage: Stage, tmp_path: Path) -> None:
    text, file = endless(stage, "namesake")
    run = InBackground(stage, text)
    number(file)
    other = Executor(tmp_path / "other", now, environment(tmp_path))
    assert other.end_leftovers(run.request.job_id) == []
    other.close()
    assert stage.executor.remains(run.request.job_id)
    stage.executor.cancel(run.request.job_id)
    assert run.ended().ending is Ending.CANCELLED


RUNNER = """
import sys
from pathlib import Path
from tests.integration.runner.execute.project import *
root, playbook, warm = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "preloaded"
executor = Executor(root / "state", now, environment(root), warm_project=root / "project" if warm else None)
if warm: assert executor.ready(30)
stage = Stage(root / "project", root / "state", Lease(root / "state/lease"), executor)
stage.lease.renew(float(sys.argv[4]))
request = dataclasses.replace(stage.request(), job_id="job-crash", playbook=playbook)
executor.run(request, lambda event: None, stage.lease)
"""


@pytest.mark.parametrize("how", ["ordinary", "preloaded"])
def test_a_killed_runner_leaves_a_run_that_ends_with_its_lease_or_at_the_next_start(how: str, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    executor = Executor(tmp_path / "state", now, environment(tmp_path))
    stage = Stage(project, tmp_path / "state", Lease(tmp_path / "state/lease"), executor)
    text, file = endless(stage, "crash")
    (project / "crash.yml").write_text(text)
    for lease_seconds in (6.0, 60.0):
        file.unlink(missing_ok=True)
        command = [sys.executable, "-c", RUNNER, str(tmp_path), str(project / "crash.yml"), how, str(lease_seconds)]
        runner = subprocess.Popen(command, cwd=Path(__file__).parents[4])
        stubborn = number(file)
        runner.kill()
        runner.wait()
        if lease_seconds < 10:
            until(lambda: executor.remains("job-crash") == [], 10)
        else:
            assert stubborn in executor.end_leftovers("job-crash")
        assert not alive(stubborn)
    executor.close()
