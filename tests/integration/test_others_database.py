"""Where somebody else runs the database, what needs one of this project is refused, and the rest does without."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.content.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = "database_external is true, so somebody else runs the database, and this project has none to back up"
SERVERS = [{"name": "db", "address": "10.9.9.9"}]
OTHERS: dict[str, Any] = {"database_external": True, "database_external_servers": SERVERS}
DARK = {"ansible_host": "127.0.0.1", "ansible_port": 1}  # nobody listens there: whatever is done on a host is told
FUNCTIONS = {"colo-gw1": ["edge", "dns"], "colo-was1": ["was"], "cloud-ops1": ["ops"]}


def run(folder: Path, playbook: str, *arguments: str, **variables: Any) -> tuple[int, str]:
    """Run a playbook of the project with production's group variables on dark hosts, none of which is a database's."""
    (folder / "group_vars").symlink_to(ROOT / "inventories/production/group_vars")
    groups: dict[str, Any] = {}
    for name, functions in FUNCTIONS.items():
        told = {**DARK, "two_sites_site": name.split("-")[0], "two_sites_functions": functions}
        for group in (name.split("-")[0], *functions):
            groups.setdefault(group, {"hosts": {}})["hosts"][name] = told
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}), encoding="utf-8")
    ours = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_SSH_RETRIES": "0",
    }
    words = ["-i", str(folder / "hosts.yml"), "-e", json.dumps(variables), f"playbooks/{playbook}.yml", *arguments]
    done = subprocess.run(
        ["ansible-playbook", *words], cwd=ROOT, env=os.environ | ours, capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("playbook", ["take_backup", "rehearse_failover", "fail_over_to_cloud", "bake_database_image"])
def test_what_needs_a_database_of_this_project_is_refused_with_a_sentence(tmp_path: Path, playbook: str) -> None:
    code, said = run(tmp_path, playbook, **OTHERS)
    assert code != 0
    assert SENTENCE in said
    assert "Somebody else's database, says what and what is left." in said
    assert said.count("PLAY [") == 1, said


def test_a_database_of_this_project_is_not_in_the_way(tmp_path: Path) -> None:
    code, said = run(tmp_path, "take_backup")
    assert code == 0, said
    assert SENTENCE not in said
    assert said.count("PLAY [") == 2, said


def test_the_databases_layer_leaves_every_host_alone(tmp_path: Path) -> None:
    code, said = run(tmp_path, "database", **OTHERS)
    assert code == 0, said
    assert "PLAY [Keep the key of the backups" in said
    assert "UNREACHABLE" not in said


def test_the_service_is_refused_for_the_secrets_that_it_uses_and_no_others(tmp_path: Path) -> None:
    code, said = run(tmp_path, "control", "--tags", "preflight", **OTHERS)
    assert code != 0
    assert "vault_database_booking_password is still CHANGE-ME" in said
    assert "vault_database_superuser_password" not in said
    assert "vault_backup_cipher_pass" not in said
