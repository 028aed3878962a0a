"""Documentation is complete, and what is generated is fresh."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.content import project

DOCS = project.ROOT / "docs"


def test_the_readme_fits_on_one_screen_and_names_the_two_commands() -> None:
    text = (project.ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 70
    assert "make demo" in text
    assert "make test" in text


def test_links_lead_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in project.texts(".md")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in target and not (project.ROOT / name).parent.joinpath(target).exists()
    ]
    assert broken == []


def test_decision_records_are_numbered_without_gaps_and_tell_why() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 80, path.name
        assert "## Decision" in text, path.name


def test_make_lists_every_target() -> None:
    makefile = (project.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    helped = set(
        subprocess.run(["make", "help"], cwd=project.ROOT, check=True, capture_output=True, text=True).stdout.split()
    )
    assert targets - helped == set()


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_changelog_has_a_section_for_what_is_coming() -> None:
    assert "## Unreleased" in (project.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
