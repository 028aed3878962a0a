"""What only asks the edges goes on when one of them is dark, as playbooks that add servers must."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DARK = "edge1 ansible_host=127.0.0.1 ansible_port=1\n"  # nobody listens there


def test_asking_a_dark_edge_which_servers_are_down_fails_nothing(tmp_path: Path) -> None:
    asking = yaml.safe_load((ROOT / "playbooks/scale_out.yml").read_text(encoding="utf-8"))[0]
    assert asking["tasks"][0]["ansible.builtin.import_role"]["tasks_from"] == "look"
    play = tmp_path / "play.yml"
    telling = {"hosts": "edge1", "gather_facts": False, "tasks": [{"debug": {"msg": "dark is {{ balancer_dark }}"}}]}
    play.write_text(yaml.safe_dump([asking | {"hosts": "edge1"}, telling]), encoding="utf-8")
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(DARK, encoding="utf-8")
    settings = {
        "ANSIBLE_INVENTORY": str(inventory),
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.ini",
        "ANSIBLE_SSH_RETRIES": "0",
    }
    done = subprocess.run(
        ["ansible-playbook", str(play)],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "UNREACHABLE" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dark is True" in done.stdout
