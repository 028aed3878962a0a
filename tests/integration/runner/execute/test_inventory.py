"""The inventory of a job is as it was when the job began, and holds no secret."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from runner.model import Ending
from tests.integration.runner.execute.project import HOSTS, Stage, encrypted, tasks

SHOW = tasks(
    """
    - ansible.builtin.set_stats: {data: {said: '{{ word }}', hosts: "{{ groups.all | join(' ') }}"}}
""",
    "here",
)


def folder(stage: Stage, name: str) -> Path:
    made = stage.project / name
    (made / "group_vars").mkdir(parents=True)
    (made / "hosts.yml").write_text(HOSTS)
    (made / "group_vars/all.yml").write_text("word: old\n")
    return made


def test_every_attempt_sees_the_hosts_of_the_first(stage: Stage) -> None:
    source = folder(stage, "moving")
    request = stage.request(SHOW, inventory=source / "hosts.yml")
    assert stage.run(request)[0].results["hosts"] == "here"
    (source / "hosts.yml").write_text(HOSTS + "    there: {}\n")
    again = dataclasses.replace(request, attempt=2)
    assert stage.run(again)[0].results["hosts"] == "here"
    assert stage.run(stage.request(SHOW, inventory=source / "hosts.yml"))[0].results["hosts"] == "here there"


def test_an_inventory_that_warns_is_frozen_all_the_same(stage: Stage) -> None:
    source = folder(stage, "warning")
    (source / "hosts.yml").write_text(HOSTS + "  children: {with-a-dash: {hosts: {here: {}}}}\n")
    assert stage.run(stage.request(SHOW, inventory=source / "hosts.yml"))[0].results["hosts"] == "here"


def test_freezing_before_the_run_is_the_same(stage: Stage) -> None:
    source = folder(stage, "early")
    request = stage.request(SHOW, inventory=source / "hosts.yml")
    stage.lease.renew(60)
    frozen = stage.executor.freeze(request, stage.lease)
    assert frozen.stat().st_mode & 0o077 == 0
    (source / "hosts.yml").write_text(HOSTS + "    there: {}\n")
    assert stage.run(request)[0].results["hosts"] == "here"


def test_group_variables_and_the_vault_are_read_from_the_project_and_not_copied(stage: Stage) -> None:
    source = folder(stage, "secret")
    password = stage.project / "secret.password"
    password.write_text("correct horse\n")
    (source / "group_vars/all.yml").write_text(encrypted("word: battery-staple\n", password))
    request = stage.request(
        tasks("    - ansible.builtin.assert: {that: \"word == 'battery-staple'\"}\n"),
        inventory=source / "hosts.yml", vault_password_file=password,
    )  # fmt: skip
    assert stage.run(request)[0].ending is Ending.SUCCEEDED
    frozen = (stage.state / "jobs" / request.job_id / "inventory/hosts").read_text()
    assert "battery" not in frozen
    assert "ANSIBLE_VAULT" not in frozen


def test_text_that_was_no_template_does_not_become_one(stage: Stage) -> None:
    source = stage.project / "dynamic"
    variables = json.loads('{"ansible_connection": "local", "word": {"__ansible_unsafe": "{{ 6 * 7 }}"}}')
    answer = {"all": {"hosts": ["here"]}, "_meta": {"hostvars": {"here": variables}}}
    source.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    source.chmod(0o755)
    request = stage.request(SHOW, inventory=source, environment={"ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.script"})
    assert stage.run(request)[0].results["said"] == "{{ 6 * 7 }}"


def test_variables_find_what_lies_beside_the_inventory(stage: Stage) -> None:
    source = folder(stage, "neighbours")
    (source / "plan.txt").write_text("from beside")
    (source / "group_vars/all.yml").write_text(
        "word: \"{{ lookup('ansible.builtin.file', inventory_dir ~ '/plan.txt') }}\"\n"
    )
    outcome, _ = stage.run(stage.request(SHOW, inventory=source / "hosts.yml"))
    assert outcome.results["said"] == "from beside"
