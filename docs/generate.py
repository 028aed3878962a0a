"""Write the pages of docs that are generated; with --check only say whether they are fresh.

failure-matrix.md comes from the figures of drills that were kept, reference/roles.md from the roles' argument specs,
reference/cli.md from the command `understudy`, reference/api.md from the runner's OpenAPI document.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from lab.drills import figures
from runner.cli import page as cli
from runner.web import page as api

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs"
HEAD = """# Roles

Generated from `roles/*/meta/argument_specs.yml` by `make docs`; a test fails when this page is stale.
"""


def rows(options: dict[str, Any], prefix: str = "") -> list[str]:
    """Write one table row per option, nested options below their parent."""
    written: list[str] = []
    for name, option in options.items():
        kind = option.get("type", "str") + (f" of {option['elements']}" if option.get("elements") else "")
        default = f"`{option['default']!r}`" if "default" in option else ("required" if option.get("required") else "")
        words = option.get("description", "")
        about = " ".join(" ".join(words if isinstance(words, list) else [words]).split())
        about = re.sub(r"[CVO]\(([^)]*)\)", r"`\1`", about)
        choices = (
            f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}." if option.get("choices") else ""
        )
        written.append(f"| `{prefix}{name}` | {kind} | {default} | {about}{choices} |".replace("|  |", "| |"))
        written += rows(option.get("options") or {}, f"{prefix}{name}.")
    return written


def chapter(role: Path) -> str:
    """Write one role: its entry points, each with a table of options."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    lines = [f"## [{role.name}](../../roles/{role.name}/README.md)"]
    for entry, spec in specs.items():
        lines += ["", f"### {role.name}: {entry}", "", f"{spec['short_description']}."]
        if spec.get("options"):
            lines += ["", "| variable | type | default | what |", "|---|---|---|---|", *rows(spec["options"])]
    return "\n".join(lines) + "\n"


def roles_page() -> str:
    """Write the page of the roles."""
    roles = sorted(path.parents[1] for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
    return "\n".join([HEAD, *[chapter(role) for role in roles]])


def matrix_page() -> str:
    """Write the page of the failure matrix."""
    return figures.page(figures.load())


def main() -> int:
    """Write the pages, or compare them."""
    stale = 0
    pages = {
        "reference/roles.md": roles_page,
        "reference/cli.md": cli.page,
        "reference/api.md": api.page,
        "failure-matrix.md": matrix_page,
    }
    for name, page in pages.items():
        file, text = FOLDER / name, page()
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
            continue
        fresh = file.exists() and file.read_text(encoding="utf-8") == text
        stale += not fresh
        sys.stdout.write(f"{name} is {'fresh' if fresh else 'stale: run make docs'}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
