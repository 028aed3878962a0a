"""Module `files` on this machine's own file system, through ansible-playbook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.modules.plays import play


@dataclass(frozen=True)
class Role:
    """A role with one task, and a place to work on."""

    folder: Path
    place: Path

    def run(self, files: list[dict[str, Any]] | str, *arguments: str, **words: Any) -> tuple[bool, dict[str, Any]]:
        """Run the task, with further words such as `loop`; return whether the play succeeded and what the task told."""
        task = {"name": "Write", "understudy.hybrid.files": {"files": files}, **words}
        (self.folder / "roles/thing/tasks/main.yml").write_text(yaml.safe_dump([task]), encoding="utf-8")
        return play(self.folder, {"roles": ["thing"]}, *arguments)


@pytest.fixture
def role(tmp_path: Path) -> Role:
    for part in ("tasks", "templates", "files"):
        (tmp_path / "roles/thing" / part).mkdir(parents=True)
    (tmp_path / "roles/thing/templates/a.conf.j2").write_text("name = {{ 6 * 7 }}\n", encoding="utf-8")
    (tmp_path / "roles/thing/files/b.bin").write_bytes(b"\x00\xff\x00")
    (tmp_path / "place").mkdir()
    return Role(tmp_path, tmp_path / "place")


def test_everything_lands_at_once_and_a_second_run_changes_nothing(role: Role) -> None:
    wanted = [
        {"path": f"{role.place}/d", "state": "directory", "mode": "0750"},
        {"path": f"{role.place}/d/a.conf", "template": "a.conf.j2", "mode": "0640", "validate": "grep -q name %s"},
        {"path": f"{role.place}/d/b", "source": "b.bin"},
        {"path": f"{role.place}/d/c", "content": "text\n"},
        {"path": f"{role.place}/l", "state": "link", "target": "d/c"},
        {"path": f"{role.place}/gone", "state": "absent"},
    ]
    ok, told = role.run(wanted)
    assert ok, told
    assert [Path(path).name for path in told["changed_paths"]] == ["d", "a.conf", "b", "c", "l"]
    assert (role.place / "d/a.conf").read_text() == "name = 42\n"
    assert (role.place / "d/a.conf").stat().st_mode & 0o7777 == 0o640
    assert (role.place / "d").stat().st_mode & 0o7777 == 0o750
    assert (role.place / "d/b").read_bytes() == b"\x00\xff\x00"
    assert (role.place / "l").read_text() == "text\n"
    ok, told = role.run(wanted)
    assert (ok, told["changed"], told["changed_paths"]) == (True, False, [])


def test_one_invalid_content_leaves_everything_as_it_was(role: Role) -> None:
    (role.place / "good").write_text("old\n")
    ok, told = role.run(
        [
            {"path": f"{role.place}/good", "content": "new\n"},
            {"path": f"{role.place}/bad", "content": "new\n", "validate": "grep absent %s"},
        ]
    )
    assert not ok
    assert "nothing was changed" in told["msg"]
    assert (role.place / "good").read_text() == "old\n"
    assert not (role.place / "bad").exists()


def test_a_check_run_tells_and_touches_nothing(role: Role) -> None:
    ok, told = role.run(
        [
            {"path": f"{role.place}/d", "state": "directory"},
            {"path": f"{role.place}/d/a", "content": "x", "owner": "not-made-yet", "validate": "not-installed-yet %s"},
        ],
        "--check",
        "--diff",
    )
    assert ok, told
    assert [Path(path).name for path in told["changed_paths"]] == ["d", "a"]
    assert list(role.place.iterdir()) == []


def test_drift_of_mode_or_content_is_mended(role: Role) -> None:
    drifted, spoilt, kept = (role.place / name for name in ("drifted", "spoilt", "kept"))
    wanted = [{"path": str(file), "content": "x\n", "mode": "0600"} for file in (drifted, spoilt, kept)]
    assert role.run(wanted)[0]
    drifted.chmod(0o644)
    spoilt.write_text("y\n")
    assert role.run(wanted)[1]["changed_paths"] == [str(drifted), str(spoilt)]
    assert [file.stat().st_mode & 0o777 for file in (drifted, spoilt, kept)] == [0o600] * 3
    assert [file.read_text() for file in (drifted, spoilt, kept)] == ["x\n"] * 3


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"path": "/x"}, "give exactly one of"),
    ({"path": "/x", "content": "a", "template": "b"}, "give exactly one of"),
    ({"path": "/x", "content": "a", "state": "directory"}, "cannot have content"),
    ({"content": "a"}, "at least 'path'"),
    ({"path": "/x", "state": "link"}, "without a target"),
]


def test_what_cannot_be_meant_is_refused_with_a_sentence(role: Role) -> None:
    meant = {"path": f"{role.place}/a", "content": "a"}
    entries = [meant, *(entry for entry, _ in NONSENSE)]
    _, told = role.run("{{ [item] }}", loop=entries, ignore_errors=True)
    done, *refused = told["results"]
    assert "exception" not in done  # which is how a loop's item says that it failed
    for result, (entry, says) in zip(refused, NONSENSE, strict=True):
        assert "exception" in result, entry
        assert says in result["msg"], entry


def test_a_secret_is_not_in_the_difference(role: Role) -> None:
    ok, told = role.run([{"path": f"{role.place}/s", "content": "hush-hush\n", "no_diff": True}], "--diff")
    assert ok, told
    assert "hush-hush" not in json.dumps(told.get("diff", ""))
