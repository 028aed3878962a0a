"""The doctor on a good installation and on broken ones, and decisions from the store of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.runner.installations import POLICIES, Installation

ALERT = {"labels": {"alertname": "BookingSlow"}}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.stop_all()


def problems(installation: Installation) -> dict[str, str]:
    told = json.loads(installation.run("doctor", "--json").stdout)
    return {each["name"]: each["text"] for each in told["checks"] if not each["ok"]}


def test_a_good_installation_has_no_problem_before_and_while_it_serves(installation: Installation) -> None:
    before = installation.run("doctor")
    assert before.returncode == 0, before.stdout + before.stderr
    assert list((installation.folder / "state").iterdir()) == []
    installation.ready(installation.serve())
    while_it_serves = installation.run("doctor")
    assert while_it_serves.returncode == 0, while_it_serves.stdout
    assert "the service answers at" in while_it_serves.stdout
    assert "of the API's" in while_it_serves.stdout
    assert len(while_it_serves.stdout.splitlines()) == len(before.stdout.splitlines()) == 17


def test_each_thing_that_is_broken_is_named_with_what_to_do(installation: Installation) -> None:
    (installation.folder / "tokens.json").chmod(0o644)
    (installation.folder / "state").chmod(0o755)
    (installation.folder / "project/playbooks/scale_in.yml").unlink()
    (installation.folder / "project/inventory/hosts.yml").write_text("all: {hosts: [")
    (installation.folder / "policies.yml").write_text(POLICIES.replace("step: +2", "step: -2"))
    found = problems(installation)
    assert set(found) == {"tokens", "policies", "playbooks", "state folder", "inventory"}
    assert "chmod 0600" in found["tokens"]
    assert found["policies"].startswith("policies.yml: policies[0].step is -2;")
    assert installation.run("doctor").returncode == 1


def test_settings_that_make_no_sense_are_the_first_problem(installation: Installation) -> None:
    installation.more = {"UNDERSTUDY_LISTN": "127.0.0.1:1"}
    found = problems(installation)
    assert list(found) == ["settings"]
    assert found["settings"].startswith("UNDERSTUDY_LISTN is not a setting")


def test_a_decision_is_foreseen_from_the_store_as_it_is(installation: Installation) -> None:
    saved = installation.folder / "saved.json"
    saved.write_text(json.dumps(ALERT))
    assert "There is no store" in installation.run("decide", "--alert", str(saved), "--live").stderr
    installation.ready(installation.serve())
    assert installation.run("brake", "on", "--reason", "network works").returncode == 0
    braked = installation.run("decide", "--alert", str(saved), "--live", "--json")
    assert json.loads(braked.stdout)[0]["decision"]["verdict"] == "held"
    alone = installation.run("decide", "--alert", str(saved), "--json")
    assert json.loads(alone.stdout)[0]["decision"]["verdict"] == "run"
    assert json.loads(installation.run("jobs", "--json").stdout)["jobs"] == []
