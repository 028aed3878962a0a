"""Role interfaces: specs are the interface, defaults repeat them, nothing reaches around them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.content import project

ROLES = project.roles()
by_role = pytest.mark.parametrize("role", ROLES, ids=[role.name for role in ROLES])


def specs(role: Path) -> dict[str, Any]:
    return dict(project.load(role / "meta/argument_specs.yml")["argument_specs"])


def task_files(role: Path) -> list[Path]:
    return sorted(path for folder in ("tasks", "handlers") for path in (role / folder).glob("*.yml"))


def options(role: Path) -> dict[str, Any]:
    return {name: option for entry in specs(role).values() for name, option in (entry.get("options") or {}).items()}


def test_there_are_roles() -> None:
    assert {"base", "cloud", "preflight", "vpn"} <= {role.name for role in ROLES}


@by_role
def test_defaults_repeat_the_specs_exactly(role: Path) -> None:
    path = role / "defaults/main.yml"
    defaults = (project.load(path) or {}) if path.exists() else {}
    in_specs = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert defaults == in_specs


@by_role
def test_an_option_is_required_or_has_a_default(role: Path) -> None:
    undecided = [
        name for name, option in options(role).items() if not option.get("required") and "default" not in option
    ]
    assert undecided == []


@by_role
def test_every_entry_point_has_a_spec_and_every_spec_an_entry_point(role: Path) -> None:
    public = {path.stem for path in (role / "tasks").glob("*.yml") if not path.stem.startswith("_")}
    assert public == set(specs(role))


@by_role
def test_options_say_what_they_are(role: Path) -> None:
    silent = [name for name, option in options(role).items() if not option.get("description")]
    assert silent == []


@by_role
def test_public_variables_carry_the_role_name(role: Path) -> None:
    assert [name for name in options(role) if not name.startswith(f"{role.name}_")] == []


@by_role
def test_registered_variables_are_private(role: Path) -> None:
    registered = [
        task["register"]
        for path in task_files(role)
        for task in project.tasks_of(project.load(path))
        if "register" in task
    ]
    assert [name for name in registered if not name.startswith(f"__{role.name}_")] == []


@by_role
def test_roles_do_not_look_at_other_hosts_or_call_roles(role: Path) -> None:
    offences = [
        f"{project.relative(path)}: {match[0]}"
        for path in sorted(role.rglob("*"))
        if path.suffix in {".yml", ".j2"}
        for match in re.finditer(
            r"\b(hostvars\[|groups\[|groups\.|include_role|import_role)", path.read_text(encoding="utf-8")
        )
    ]
    assert offences == []


@by_role
def test_nothing_is_done_by_shell_or_with_errors_ignored(role: Path) -> None:
    offences = [
        f"{project.relative(path)}: {task.get('name')}"
        for path in task_files(role)
        for task in project.tasks_of(project.load(path))
        if {"ansible.builtin.shell", "shell", "ansible.builtin.raw", "raw", "ignore_errors"} & set(task)
    ]
    assert offences == []


@by_role
def test_commands_say_when_they_change_something(role: Path) -> None:
    offences = [
        f"{project.relative(path)}: {task.get('name')}"
        for path in task_files(role)
        for task in project.tasks_of(project.load(path))
        if "ansible.builtin.command" in task
        and "changed_when" not in task
        and not (isinstance(task["ansible.builtin.command"], dict) and "creates" in task["ansible.builtin.command"])
    ]
    assert offences == []


@by_role
def test_every_assertion_has_a_message(role: Path) -> None:
    offences = [
        f"{project.relative(path)}: {task.get('name')}"
        for path in task_files(role)
        for task in project.tasks_of(project.load(path))
        if "ansible.builtin.assert" in task and not task["ansible.builtin.assert"].get("fail_msg")
    ]
    assert offences == []


@by_role
def test_files_stay_small(role: Path) -> None:
    long_tasks = [project.relative(path) for path in task_files(role) if len(project.tasks_of(project.load(path))) > 12]
    defaults = role / "defaults/main.yml"
    assert long_tasks == []
    assert not defaults.exists() or len(defaults.read_text(encoding="utf-8").splitlines()) <= 80


@by_role
def test_a_role_is_described_and_tried_on_fresh_hosts(role: Path) -> None:
    readme = role / "README.md"
    assert readme.exists()
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= 80
    scenario = project.ROOT / "molecule" / role.name
    assert (scenario / "molecule.yml").exists()
    assert list(scenario.rglob("test_*.py"))


@by_role
def test_templates_say_who_manages_the_file(role: Path) -> None:
    unmarked = [
        project.relative(path)
        for path in role.rglob("*.j2")
        if "ansible_managed | comment" not in path.read_text(encoding="utf-8").splitlines()[0]
        and "ansible_managed | comment" not in "\n".join(path.read_text(encoding="utf-8").splitlines()[:3])
    ]
    assert unmarked == []
