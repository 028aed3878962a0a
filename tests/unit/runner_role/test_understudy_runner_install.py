"""What the program that installs releases of the runner decides; molecule tries a whole installation."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.programs import load

installing = load("runner", "understudy_runner_install")
SIZE = 100


class Disk:
    """A disk on which every release takes SIZE bytes, of `total`."""

    def __init__(self, total: int) -> None:
        self.total = total

    def free(self, folder: Path) -> int:
        return self.total - SIZE * len(list(folder.iterdir()))


def make(folder: Path, *names: str, half: tuple[str, ...] = ()) -> None:
    """Make releases, the oldest first."""
    for age, name in enumerate((*names, *half)):
        (folder / "releases" / name).mkdir(parents=True)
        if name in names:
            stamp = folder / "releases" / name / "release.json"
            stamp.touch()
            os.utime(stamp, (age, age))


def releases(folder: Path, current: str = "", total: int = 100 * SIZE) -> Any:
    if current:
        (folder / "current").symlink_to(folder / "releases" / current)
    return installing.Releases(folder, Disk(total).free)


def there(folder: Path) -> set[str]:
    return {each.name for each in (folder / "releases").iterdir()}


def test_nothing_is_removed_while_there_is_room(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    assert releases(tmp_path, "b").room("c", SIZE, check=False)["removed"] == []
    assert there(tmp_path) == {"a", "b"}


def test_the_oldest_goes_first_and_only_as_many_as_needed(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c")
    told = releases(tmp_path, "c", total=3 * SIZE).room("d", SIZE, check=False)
    assert (told["changed"], told["removed"]) == (True, ["a"])
    assert there(tmp_path) == {"b", "c"}


def test_what_is_not_whole_always_makes_room(tmp_path: Path) -> None:
    make(tmp_path, "a", half=("x",))
    assert releases(tmp_path, "a").room("b", SIZE, check=False)["removed"] == ["x"]


def test_the_release_that_serves_is_never_removed_and_a_full_disk_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    with pytest.raises(installing.RefusedError, match=r"release c needs 1\d*\. Make room on the host"):
        releases(tmp_path, "b", total=2 * SIZE).room("c", 2**20, check=False)
    assert there(tmp_path) == {"b"}


def test_a_check_only_says_what_would_go(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", half=("x",))
    assert releases(tmp_path, "b").room("c", SIZE, check=True)["removed"] == ["x"]
    assert releases(tmp_path).activate("c", 0, check=True)["removed"] == ["x", "a"]
    assert there(tmp_path) == {"a", "b", "x"}
    assert releases(tmp_path).current == "b"


def test_activation_switches_the_link_and_keeps_the_one_that_served(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c")
    told = releases(tmp_path, "a").activate("c", 1, check=False)
    assert (told["changed"], told["removed"]) == (True, ["b"])
    assert (tmp_path / "current").resolve() == tmp_path / "releases/c"
    assert releases(tmp_path).activate("c", 1, check=False)["changed"] is False


def test_a_half_release_cannot_be_activated(tmp_path: Path) -> None:
    make(tmp_path, "a", half=("b",))
    with pytest.raises(installing.RefusedError, match="Release b is not whole"):
        releases(tmp_path, "a").activate("b", 1, check=False)
    assert releases(tmp_path).current == "a"


def archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(text.encode())
            made.addfile(member, io.BytesIO(text.encode()))
    return path


def test_files_of_the_host_stand_in_place_of_the_archives(tmp_path: Path) -> None:
    packed = archive(
        tmp_path / "a.tar", {"project/inventories/x/vault.yml": "secret: open", "project/ansible.cfg": "-"}
    )
    installing.unpack(packed, tmp_path / "to", {"project/inventories/x/vault.yml": "/etc/understudy/runner/vault.yml"})
    assert (tmp_path / "to/project/ansible.cfg").read_text() == "-"
    link = tmp_path / "to/project/inventories/x/vault.yml"
    assert (link.is_symlink(), str(link.readlink())) == (True, "/etc/understudy/runner/vault.yml")


def test_what_the_host_could_not_decrypt_stays_out_of_the_inventory(tmp_path: Path) -> None:
    held = {
        "project/inventories/x/group_vars/ops/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n31",
        "project/inventories/x/group_vars/ops/runner.yml": "a: 1",
    }
    installing.unpack(archive(tmp_path / "a.tar", held), tmp_path / "to", {})
    names = {each.name for each in (tmp_path / "to").rglob("*.yml")}
    assert names == {"runner.yml"}


def test_an_archive_that_cannot_be_installed_leaves_nothing_half(tmp_path: Path) -> None:
    make(tmp_path, "a")
    packed = archive(tmp_path / "b.tar", {"project/ansible.cfg": "-", "wheels/other.whl": ""})
    chosen = installing.options().parse_args(["install", "b", "--archive", str(packed)])
    with pytest.raises(installing.RefusedError, match="b was not installed: there is no wheel of uv"):
        releases(tmp_path, "a").install(chosen)
    assert there(tmp_path) == {"a"}


def test_an_archive_that_came_broken_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a")
    (tmp_path / "b.tar").write_text("half of it")
    chosen = installing.options().parse_args(["install", "b", "--archive", str(tmp_path / "b.tar")])
    with pytest.raises(installing.RefusedError, match=r"cannot be unpacked .* Build and bring it again"):
        releases(tmp_path, "a").install(chosen)


def test_a_release_that_is_whole_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "a")
    chosen = installing.options().parse_args(["install", "a", "--archive", "/nonexistent"])
    assert releases(tmp_path, "a").install(chosen)["changed"] is False
