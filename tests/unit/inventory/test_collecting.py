from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from plugins.plugin_utils.two_sites.asking import Silence, ask_all
from plugins.plugin_utils.two_sites.collecting import Source, collect
from plugins.plugin_utils.two_sites.errors import TwoSitesError
from plugins.plugin_utils.two_sites.servers import Snapshot
from plugins.plugin_utils.two_sites.snapshots import last_good_file, read_last_good, write_last_good
from tests.unit.inventory.examples import NOW, configuration, server

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.plugin_utils.two_sites.asking import Ask
    from plugins.plugin_utils.two_sites.servers import Server

OLD, NEW = server("old", "10.210.2.1"), server("new", "10.210.2.2")


def answers(*servers: Server) -> Ask:
    return lambda _deadline: servers


def refuses(_deadline: float) -> tuple[Server, ...]:
    raise TwoSitesError("connection refused")


def source(ask: Ask, name: str = "lab", *, fails: bool = False, cached: Snapshot | None = None) -> Source:
    clouds = [{"name": name, "site": "cloud", "on_unreachable": "fail" if fails else "serve_last_good"}]
    return Source(configuration(clouds=clouds).clouds[0], f"identity-{name}", ask, cached)


def keep_old(folder: Path, name: str = "lab", age: int = 340) -> None:
    write_last_good(folder, Snapshot(name, f"identity-{name}", int(NOW) - age, (OLD,)))


def test_a_new_list_is_served_and_kept(tmp_path: Path) -> None:
    keep_old(tmp_path)
    collected = collect({"lab": source(answers(NEW))}, tmp_path, NOW)
    assert [(each.snapshot.servers, each.stale) for each in collected.answers] == [((NEW,), False)]
    assert collected.warnings == ()
    kept = read_last_good(tmp_path, "lab", "identity-lab")
    assert kept == Snapshot("lab", "identity-lab", int(NOW), (NEW,))


def test_an_empty_answer_is_an_answer(tmp_path: Path) -> None:
    keep_old(tmp_path)
    assert collect({"lab": source(answers())}, tmp_path, NOW).answers[0].snapshot.servers == ()


def test_silence_serves_the_last_good_list_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    keep_old(tmp_path)
    before = last_good_file(tmp_path, "lab", "identity-lab").read_bytes()
    collected = collect({"lab": source(refuses)}, tmp_path, NOW)
    assert [(each.snapshot.servers, each.stale) for each in collected.answers] == [((OLD,), True)]
    assert collected.warnings == (
        "Cloud 'lab' gave no complete list of its servers: connection refused. Its last good list is served:"
        " 1 servers, 340 s old, each marked two_sites_stale.",
    )
    assert last_good_file(tmp_path, "lab", "identity-lab").read_bytes() == before


def test_silence_without_a_last_good_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TwoSitesError, match=r"Cloud 'lab' .*: connection refused\. There is no last good list"):
        collect({"lab": source(refuses)}, tmp_path, NOW)


def test_silence_that_must_fail_is_an_error_in_spite_of_a_last_good_list(tmp_path: Path) -> None:
    keep_old(tmp_path)
    with pytest.raises(TwoSitesError, match=r"Cloud 'lab' .*: connection refused\. .* on_unreachable: fail"):
        collect({"lab": source(refuses, fails=True)}, tmp_path, NOW)


def test_a_cloud_that_must_not_fail_and_answers_does_not_fail(tmp_path: Path) -> None:
    assert collect({"lab": source(answers(NEW), fails=True)}, tmp_path, NOW).answers[0].stale is False


def test_a_broken_last_good_list_that_is_needed_is_an_error_with_the_cause_of_the_silence(
    tmp_path: Path,
) -> None:
    last_good_file(tmp_path, "lab", "identity-lab").write_text('{"version": 9}')
    with pytest.raises(TwoSitesError, match=r"refused\. Its last good list is broken: .*identity-lab\.json"):
        collect({"lab": source(refuses)}, tmp_path, NOW)


def test_a_broken_last_good_list_is_replaced_by_a_good_answer(tmp_path: Path) -> None:
    last_good_file(tmp_path, "lab", "identity-lab").write_text("{")
    assert collect({"lab": source(answers(NEW))}, tmp_path, NOW).warnings == ()
    assert read_last_good(tmp_path, "lab", "identity-lab") is not None


def test_a_list_that_cannot_be_kept_is_served_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    collected = collect({"lab": source(answers(NEW))}, tmp_path / "file" / "folder", NOW)
    assert collected.answers[0].snapshot.servers == (NEW,)
    assert "cannot be kept in" in collected.warnings[0]


def test_one_silent_cloud_does_not_harm_another(tmp_path: Path) -> None:
    keep_old(tmp_path, "other")
    collected = collect({"lab": source(answers(NEW)), "other": source(refuses, "other")}, tmp_path, NOW)
    assert [(each.cloud.name, each.stale) for each in collected.answers] == [("lab", False), ("other", True)]


def test_all_silent_clouds_are_named_in_one_error(tmp_path: Path) -> None:
    sources = {name: source(refuses, name) for name in ("lab", "other")}
    with pytest.raises(TwoSitesError, match=r"Cloud 'lab' .* Cloud 'other'"):
        collect(sources, tmp_path, NOW)


def test_a_good_list_is_kept_although_another_cloud_fails(tmp_path: Path) -> None:
    with pytest.raises(TwoSitesError):
        collect({"other": source(refuses, "other"), "lab": source(answers(NEW))}, tmp_path, NOW)
    assert read_last_good(tmp_path, "lab", "identity-lab") is not None


def test_a_cloud_in_the_cache_is_not_asked_and_its_list_is_not_stale(tmp_path: Path) -> None:
    cached = Snapshot("lab", "identity-lab", int(NOW) - 50, (OLD,))
    collected = collect({"lab": source(refuses, cached=cached)}, tmp_path, NOW)
    assert [(each.snapshot, each.stale) for each in collected.answers] == [(cached, False)]
    assert not list(tmp_path.iterdir())


def test_a_hanging_cloud_is_left_behind_at_its_limit_and_others_are_heard() -> None:
    release = threading.Event()

    def hangs(_deadline: float) -> tuple[Server, ...]:
        release.wait(30)
        return ()

    started = time.monotonic()
    heard = ask_all({"a": (hangs, 0.2), "b": (answers(NEW), 5.0), "c": (hangs, 0.2)})
    took = time.monotonic() - started
    release.set()
    silence = Silence("no complete answer within 0.2 s")
    assert heard == {"a": silence, "b": (NEW,), "c": silence}
    assert took < 2


def test_no_clouds_are_asked_in_no_time() -> None:
    assert ask_all({}) == {}
