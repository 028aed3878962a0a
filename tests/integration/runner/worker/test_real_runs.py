"""The chain with real playbooks: an alert in the store becomes tasks on a host, also through a kill -9."""

from __future__ import annotations

from pathlib import Path

from runner.model import JobState
from runner.service import questions
from runner.store.engine import open_store
from tests.integration.runner.execute.project import make_project
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.workers import Bench, all_jobs, idle, post

PLAYBOOK = """
- name: Mend
  hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.shell: echo begin >> {file}
    - name: Take a while
      ansible.builtin.command: sleep 2.718
    - name: End
      ansible.builtin.shell: echo end >> {file}
"""


def _sleepers() -> int:
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found += (folder / "cmdline").read_bytes().startswith(b"sleep\x002.718")
        except OSError:
            continue
    return found


def test_a_playbook_goes_on_after_a_kill_and_nothing_of_the_first_run_is_left(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.project = make_project(bench.folder / "project")
    done = bench.folder / "done"
    (bench.project / "playbooks").mkdir()
    (bench.project / "playbooks/mend_a.yml").write_text(PLAYBOOK.replace("{file}", str(done)))
    store = open_store(bench.store_url)
    first = bench.start()
    bench.ready("one")
    post(store, [0], bench.state("one"))
    until(lambda: _sleepers() == 1, 30, "the playbook sleeps")
    first.kill()
    first.wait()
    bench.start()
    bench.ready("one", 2)
    assert _sleepers() == 0  # ended before anything is run again
    until(lambda: idle(store), 30, "the job ended")
    assert done.read_text().split() == ["begin", "begin", "end"]
    [job] = all_jobs(store)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    told = questions.events(store, job.id)
    assert [each.number for each in told] == list(range(1, len(told) + 1))
    assert {"play", "task", "changed", "stats", "state"} <= {each.kind for each in told}
    store.close()
