"""Every collection that a role or playbook uses is named in requirements.yml, from which the runners get theirs."""

from __future__ import annotations

import re

import yaml

from tests.content import project

OURS = {"ansible.builtin", "understudy.hybrid"}
MODULE = re.compile(r"^\s+(?:- )?(?:module: )?([a-z_]+\.[a-z_]+)\.[a-z_0-9]+(?:: |:?$)", re.MULTILINE)


def used() -> set[str]:
    files = [*project.ROOT.glob("roles/*/tasks/*.yml"), *project.ROOT.glob("playbooks/**/*.yml")]
    return {name for file in files for name in MODULE.findall(file.read_text(encoding="utf-8"))}


def test_every_collection_that_is_used_is_required() -> None:
    text = (project.ROOT / "requirements.yml").read_text(encoding="utf-8")
    required = {each["name"] for each in yaml.safe_load(text)["collections"]}
    assert {"openstack.cloud", "community.postgresql"} <= used()
    assert used() - OURS - required == set()
    galaxy = yaml.safe_load((project.ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert required == set(galaxy["dependencies"])
