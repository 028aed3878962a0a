"""The list of what differs is kept whole, for its owner, and never over another one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from booking.errors import SidesError
from booking.sides import kept_list
from booking.sides.comparison import compare

from tests.unit.booking.test_sides_comparison import NOW, booking, side

LIST = kept_list.KeptList(kept_list.FORMAT, NOW, None, 3, 0, compare([booking(1), booking(2, "cancelled")], side()))


def test_what_was_written_is_read_again_with_all_that_is_needed_to_act(tmp_path: Path) -> None:
    kept_list.write(tmp_path / "new" / "list.json", LIST)
    read = kept_list.read(tmp_path / "new" / "list.json")
    assert read.findings == LIST.findings
    assert read.findings[1].booking == booking(1)


def test_the_list_is_its_owners_alone_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    kept_list.write(tmp_path / "list.json", LIST)
    assert (tmp_path / "list.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["list.json"]


def test_another_list_is_never_overwritten_and_the_same_one_may_be_written_again(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    kept_list.write(path, LIST)
    before = path.read_bytes()
    assert "already" in kept_list.write(path, replace(LIST, compared_at=NOW.replace(hour=19)))
    with pytest.raises(SidesError, match="holds another list"):
        kept_list.write(path, replace(LIST, findings=()))
    assert path.read_bytes() == before


def test_what_is_no_list_is_not_overwritten_either(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("notes")
    with pytest.raises(SidesError, match="is no list"):
        kept_list.write(path, LIST)
    assert path.read_text() == "notes"


def test_a_list_that_was_changed_is_not_acted_upon(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    kept_list.write(path, LIST)
    path.write_text(path.read_text().replace('"amount_won": 30000', '"amount_won": 40000', 1))
    with pytest.raises(SidesError, match="is damaged"):
        kept_list.read(path)


def test_a_list_of_another_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    kept_list.write(path, LIST)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(SidesError, match="format 2"):
        kept_list.read(path)


def test_half_a_list_and_none_at_all_are_named(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    with pytest.raises(SidesError, match="No such file"):
        kept_list.read(path)
    kept_list.write(path, LIST)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SidesError, match="is no list"):
        kept_list.read(path)
