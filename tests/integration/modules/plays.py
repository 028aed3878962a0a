"""Run a play of one task on this machine, and hear what the task returned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def play(folder: Path, content: dict[str, Any], *arguments: str, **settings: str) -> tuple[bool, dict[str, Any]]:
    """Run a play with what it does, such as `{"tasks": [...]}`; return whether it succeeded and what its task returned.

    The folder becomes the playbook's; further settings of Ansible are named as in the environment.
    """
    whole = {"hosts": "localhost", "connection": "local", "gather_facts": False, **content}
    (folder / "play.yml").write_text(yaml.safe_dump([whole]), encoding="utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ninterpreter_python = {sys.executable}\n", encoding="utf-8")
    ours = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    done = subprocess.run(
        ["ansible-playbook", "--inventory", "localhost,", *arguments, "play.yml"],
        cwd=folder, env=os.environ | ours | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "{" in done.stdout, done.stdout + done.stderr
    told = json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return done.returncode == 0, told
