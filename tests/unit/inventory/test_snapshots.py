from __future__ import annotations

import json
import resource
import stat
from typing import TYPE_CHECKING, Any

import pytest

from plugins.plugin_utils.two_sites import snapshots
from plugins.plugin_utils.two_sites.entries import Entry
from plugins.plugin_utils.two_sites.errors import RefusedValueError
from plugins.plugin_utils.two_sites.servers import Snapshot
from plugins.plugin_utils.two_sites.snapshots import (
    last_good_file,
    read_last_good,
    snapshot_to_data,
    write_last_good,
    young_snapshots,
)
from tests.unit.inventory.examples import server

if TYPE_CHECKING:
    from pathlib import Path

SNAPSHOT = Snapshot("lab", "abc", 1000, (server("a", "10.210.2.1", "fd00::1"), server("b", image="")))


def broken(path: Path, change: dict[str, Any]) -> None:
    """Write the snapshot with one thing wrong in it."""
    data = snapshot_to_data(SNAPSHOT)
    data.update(change)
    path.mkdir(exist_ok=True)
    last_good_file(path, "lab", "abc").write_text(json.dumps(data))


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_last_good(tmp_path, SNAPSHOT)
    assert read_last_good(tmp_path, "lab", "abc") == SNAPSHOT


def test_a_new_list_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_last_good(tmp_path, SNAPSHOT)
    write_last_good(tmp_path, Snapshot("lab", "abc", 2000, ()))
    read = read_last_good(tmp_path, "lab", "abc")
    assert read is not None
    assert read.fetched_at_epoch_seconds == 2000
    assert len(list(tmp_path.iterdir())) == 1


def test_only_the_owner_can_read_file_and_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    write_last_good(folder, SNAPSHOT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(last_good_file(folder, "lab", "abc").stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_list(tmp_path: Path) -> None:
    write_last_good(tmp_path, SNAPSHOT)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_last_good(tmp_path, Snapshot("lab", "abc", 2000, ()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_last_good(tmp_path, "lab", "abc") == SNAPSHOT
    assert len(list(tmp_path.iterdir())) == 1


def test_no_list_is_not_an_empty_list(tmp_path: Path) -> None:
    assert read_last_good(tmp_path, "lab", "abc") is None
    write_last_good(tmp_path, Snapshot("lab", "abc", 1000, ()))
    assert read_last_good(tmp_path, "lab", "abc") == Snapshot("lab", "abc", 1000, ())


def test_two_projects_and_two_clouds_have_a_file_each(tmp_path: Path) -> None:
    files = {last_good_file(tmp_path, *each) for each in (("lab", "abc"), ("lab", "def"), ("lab2", "abc"))}
    assert len(files) == 3


def test_a_clouds_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    assert last_good_file(tmp_path, "../../etc/x", "abc").parent == tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, r"version is 2; expected 1"),
        ({"cloud": "other"}, r"cloud is 'other'; expected 'lab'"),
        ({"identity": "def"}, r"identity is 'def'; expected 'abc'"),
        ({"fetched_at_epoch_seconds": "now"}, r"fetched_at_epoch_seconds is 'now'; expected whole seconds"),
        ({"servers": None}, r"servers is None; expected a list"),
        ({"servers": [{}]}, r"servers\[0\] is {}; expected the key id in it"),
        ({"more": 1}, r"more is 1; expected no such key"),
    ],
)
def test_a_broken_list_is_refused_with_file_key_and_value(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    broken(tmp_path, change)
    with pytest.raises(RefusedValueError, match=message) as refusal:
        read_last_good(tmp_path, "lab", "abc")
    assert str(last_good_file(tmp_path, "lab", "abc")) in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 7}, r"servers\[0\]\.name is 7; expected text"),
        ({"addresses": ["10.1"]}, r"servers\[0\]\.addresses\[0\] is '10\.1'; expected an address"),
        ({"metadata": {"a": 1}}, r"servers\[0\]\.metadata\.a is 1; expected text"),
    ],
)
def test_a_broken_server_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    servers = snapshot_to_data(SNAPSHOT)["servers"]
    assert isinstance(servers, list)
    broken(tmp_path, {"servers": [{**servers[0], **change}]})
    with pytest.raises(RefusedValueError, match=message):
        read_last_good(tmp_path, "lab", "abc")


@pytest.mark.parametrize("content", ["", "{", "\x00\x01", '{"version": 1'])
def test_a_file_that_is_no_json_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    file = last_good_file(tmp_path, "lab", "abc")
    file.write_text(content)
    with pytest.raises(RefusedValueError, match="the whole file") as refusal:
        read_last_good(tmp_path, "lab", "abc")
    assert str(file) in str(refusal.value)


def test_a_cache_serves_lists_up_to_its_age() -> None:
    entry = Entry("cache", "k", [snapshot_to_data(SNAPSHOT)])
    assert young_snapshots(entry, 1060.0, 60) == {"abc": SNAPSHOT}
    assert young_snapshots(entry, 1061.0, 60) == {}
    assert young_snapshots(entry, 9999.0, 0) == {"abc": SNAPSHOT}


def test_a_broken_cache_is_an_empty_cache() -> None:
    assert young_snapshots(Entry("cache", "k", [{"version": 0}]), 1000.0, 60) == {}
    assert young_snapshots(Entry("cache", "k", None), 1000.0, 60) == {}


def test_the_version_is_written() -> None:
    assert snapshot_to_data(SNAPSHOT)["version"] == snapshots.VERSION
