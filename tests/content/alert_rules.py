"""The alert rules as a host gets them, with the limits of the role's defaults or of an inventory."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from tests.content import project

ROLE = project.ROOT / "roles/monitoring"
TEMPLATES = sorted((ROLE / "templates/etc/prometheus/rules").glob("*.yml.j2"))
CASES = sorted((project.ROOT / "tests/content/alert_cases").glob("*.yml"))
REQUIRED = {"monitoring_site": "cloud", "monitoring_public_name": "tickets.example.org"}


def settings(inventory: str = "") -> dict[str, Any]:
    """Return the role's variables: its defaults, and over them what an inventory says."""
    chosen = dict(project.load(ROLE / "defaults/main.yml"))
    if inventory:
        chosen |= project.load(project.ROOT / f"inventories/{inventory}/group_vars/ops/monitoring.yml")
    return chosen | REQUIRED


def rendered(template: Path, variables: dict[str, Any]) -> str:
    """Render a template as Ansible does, by the delimiters that its first line names."""
    head, _, body = template.read_text(encoding="utf-8").partition("\n")
    assert head == '#jinja2: variable_start_string:"<<", variable_end_string:">>"', template.name
    environment = jinja2.Environment(  # noqa: S701 - no HTML
        variable_start_string="<<", variable_end_string=">>", undefined=jinja2.StrictUndefined
    )
    environment.filters["comment"] = lambda text: f"# {text}"
    return environment.from_string(body).render(ansible_managed="managed", **variables)


def write(folder: Path, inventory: str = "") -> list[str]:
    """Write all rule files, and the cases beside them; return the rule files' names."""
    for template in TEMPLATES:
        (folder / template.stem).write_text(rendered(template, settings(inventory)), encoding="utf-8")
    for case in CASES:
        shutil.copy(case, folder / f"cases-{case.name}")
    return [template.stem for template in TEMPLATES]


@cache
def rules() -> tuple[dict[str, Any], ...]:
    """Return every rule as data."""
    documents = (yaml.safe_load(rendered(template, settings())) for template in TEMPLATES)
    return tuple(rule for document in documents for group in document["groups"] for rule in group["rules"])


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def expressions() -> list[str]:
    """Return every rule's expression."""
    return [rule["expr"] for rule in rules()]
