"""What a run tells and what it comes to."""

from __future__ import annotations

import dataclasses
import json

import pytest

from runner.errors import ExecutionError
from runner.execute.preload import PROGRAMS
from runner.model import Ending
from tests.integration.runner.execute.project import HOSTS, Stage, tasks

HELLO = tasks("""
    - name: Greet
      ansible.builtin.debug: {msg: "hello {{ who }}"}
    - name: Change
      ansible.builtin.command: {cmd: "true"}
    - name: Result
      ansible.builtin.set_stats: {data: {servers: 3, share: 0.5, ready: true, word: fine, list: [1]}}
""")


def test_a_run_tells_its_tasks_in_order_and_counts_them(stage: Stage) -> None:
    outcome, events = stage.play(HELLO, variables={"who": "you"})
    assert outcome.ending is Ending.SUCCEEDED
    assert outcome.counts == {"here": {"ok": 3, "changed": 1, "failures": 0, "unreachable": 0, "skipped": 0}}
    assert [event.kind for event in events] == ["play", "task", "ok", "task", "changed", "task", "ok", "stats"]
    assert (events[2].text, events[2].host, events[2].task) == ("hello you", "here", "Greet")
    assert outcome.first_task_at is not None
    assert outcome.started_at < outcome.first_task_at < outcome.ended_at


def test_scalars_of_set_stats_are_the_results(stage: Stage) -> None:
    outcome, _ = stage.play(HELLO, variables={"who": "you"})
    assert outcome.results == {"servers": 3, "share": 0.5, "ready": True, "word": "fine"}
    assert outcome.summary.endswith(": ready True, servers 3, share 0.5, word fine.")


def test_check_mode_changes_nothing(stage: Stage) -> None:
    file = stage.project / "made"
    text = tasks(f"    - ansible.builtin.copy: {{content: x, dest: {file}, mode: '0600'}}\n")
    assert stage.play(text, check=True)[0].ending is Ending.SUCCEEDED
    assert not file.exists()
    assert stage.play(text)[0].ending is Ending.SUCCEEDED
    assert file.exists()


def test_a_failure_is_a_sentence_with_task_host_and_message(stage: Stage) -> None:
    outcome, events = stage.play(tasks("    - name: Break\n      ansible.builtin.fail: {msg: the disk is full}\n"))
    assert outcome.ending is Ending.FAILED
    assert "failed: Break failed on here: the disk is full." in outcome.summary
    assert [event.kind for event in events][-2:] == ["failed", "stats"]


def test_a_broken_playbook_fails_with_what_ansible_says(stage: Stage) -> None:
    outcome, _ = stage.play("- hosts: all\n  tasks: [{no.such.module: {}}]\n")
    assert outcome.ending is Ending.FAILED
    assert "no.such.module" in outcome.summary


def test_a_host_that_does_not_answer_is_unreachable(stage: Stage) -> None:
    request = stage.request(tasks("    - ansible.builtin.ping:\n", "away"))
    inventory = stage.project / "away.yml"
    inventory.write_text("all: {hosts: {away: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n")
    outcome, _ = stage.run(dataclasses.replace(request, inventory=inventory))
    assert outcome.ending is Ending.UNREACHABLE
    assert "away" in outcome.summary


def test_a_run_without_any_host_is_no_success(stage: Stage) -> None:
    empty = stage.project / "empty.yml"
    empty.write_text("all: {children: {was: {}}}\n")
    outcome, events = stage.play(tasks("    - ansible.builtin.ping:\n", "was"), inventory=empty)
    assert outcome.ending is Ending.NO_HOSTS
    assert any(event.kind == "note" and "matched no host" in event.text for event in events)


def test_one_play_without_hosts_is_a_note(stage: Stage) -> None:
    inventory = stage.project / "part.yml"
    inventory.write_text(HOSTS + "  children: {was: {}}\n")
    ping = "    - ansible.builtin.ping:\n"
    outcome, events = stage.play(tasks(ping, "was") + tasks(ping), inventory=inventory)
    assert outcome.ending is Ending.SUCCEEDED
    assert any(event.kind == "note" for event in events)


def test_output_stops_at_its_limit_and_says_so(stage: Stage) -> None:
    task = "    - ansible.builtin.debug: {msg: '{{ \"x\" * 1000 }}'}\n      loop: '{{ range(100) | list }}'\n"
    request = stage.request(tasks(task), output_limit_bytes=20_000)
    assert stage.run(request)[0].ending is Ending.SUCCEEDED
    text = stage.kept(request)
    assert text.endswith("The output was cut here, at 20000 bytes.\n")
    assert len(text) < 20_100


def test_kept_events_are_what_was_told(stage: Stage) -> None:
    request = stage.request(HELLO, variables={"who": "you"})
    _, events = stage.run(request)
    lines = (stage.state / "jobs" / request.job_id / "1/events.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == [event.text for event in events]


def test_nothing_of_a_run_stays_in_memory(stage: Stage) -> None:
    request = stage.request(HELLO, variables={"who": "you"})
    stage.run(request)
    assert stage.executor.remains(request.job_id) == []
    assert not [folder for folder in stage.executor._memory.iterdir() if folder.is_dir()]


def test_an_inventory_that_cannot_be_read_starts_nothing(stage: Stage) -> None:
    request = stage.request(HELLO, inventory=stage.project / "not_there.yml")
    with pytest.raises(ExecutionError, match=r"not_there\.yml cannot be read: .*failed to parse") as refused:
        stage.run(request)
    assert "\x1b" not in str(refused.value)
    assert "job_events" not in str(refused.value)


def test_a_job_name_never_leaves_the_folder_of_jobs(stage: Stage) -> None:
    with pytest.raises(ExecutionError, match="cannot be a job's name"):
        stage.run(stage.request(HELLO, job_id="../x"))


def test_the_preloaded_process_serves_what_a_run_needs() -> None:
    assert set(PROGRAMS) == {"ansible-playbook", "ansible-inventory"}
