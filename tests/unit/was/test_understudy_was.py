"""What the tool on the application servers decides; what it does is tried by molecule's scenarios was and booking."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.programs import load

if TYPE_CHECKING:
    pass


was, installing = load("was", "understudy_was"), load("was", "understudy_was_install")
READY = was.Ready("http://server/readyz", range(200, 300), 5)


Server: Any = was.Server


class FakeServer(Server):  # type: ignore[misc]  # the tool is loaded at run time, so its types are not known
    """A server whose releases are ready or not as the test says; time passes only in waiting."""

    def __init__(self, layout: Any, answers: dict[str, int]) -> None:
        self.layout, self.answers, self.clock = layout, answers, 0.0
        self.calls: list[tuple[str, ...]] = []
        self.running: set[str] = set()
        self.refused: set[str] = set()

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        self.calls.append(arguments)
        verb, unit = arguments[0], arguments[-1]
        if unit in self.refused:
            raise was.RefusedError("the journal says why")
        if verb in {"restart", "start"} and unit in {was.SERVICE, was.SOCKET}:
            self.running.add(unit)
            self.layout.record(unit)
        return ("active" if unit in self.running else "inactive") if verb == "is-active" else "0"

    def ask(self, url: str) -> tuple[int, str]:
        release = self.layout.recorded(was.SERVICE).get("release", "")
        return self.answers.get(release, 503), "database: no leader"

    def did(self, verb: str) -> list[str]:
        return [call[-1] for call in self.calls if call[0] == verb]


@pytest.fixture
def layout(tmp_path: Path) -> Any:
    places = {name: tmp_path / name for name in ("root", "settings", "units", "records")}
    for place in places.values():
        place.mkdir()
    (places["units"] / was.SERVICE).write_text("[Service]")
    (places["units"] / was.SOCKET).write_text("[Socket]")
    found = was.Layout(**places)
    for name in ("1", "2"):
        found.release(name).mkdir(parents=True)
        (found.release(name) / "release.json").write_text("{}")
    return found


def serving(layout: Any, **answers: int) -> FakeServer:
    """Return a server that serves release 1."""
    server = FakeServer(layout, {"1": 200, **{name.strip("r"): status for name, status in answers.items()}})
    was.activate(layout, server, "1", READY, 3)
    server.calls.clear()
    return server


def test_the_first_release_starts_the_socket_and_the_server(layout: Any) -> None:
    server = FakeServer(layout, {"1": 200})
    assert was.activate(layout, server, "1", READY, 3)["changed"]
    assert server.did("restart") == [was.SOCKET, was.SERVICE]


def test_a_release_that_serves_is_left_alone(layout: Any) -> None:
    server = serving(layout)
    assert not was.activate(layout, server, "1", READY, 3)["changed"]
    assert server.did("restart") == []


def test_a_new_release_takes_over_while_the_socket_stays(layout: Any) -> None:
    server = serving(layout, r2=200)
    assert was.activate(layout, server, "2", READY, 3)["changed"]
    assert server.did("restart") == [was.SERVICE]
    assert (layout.linked("current"), layout.linked("previous")) == ("2", "1")


def test_a_release_that_never_becomes_ready_is_taken_back(layout: Any) -> None:
    server = serving(layout, r2=503)
    with pytest.raises(
        was.RefusedError, match=r"Release 2 did not become ready .*no leader.* 1 is back in service and ready"
    ) as refusal:
        was.activate(layout, server, "2", READY, 3)
    assert refusal.value.changed
    assert layout.linked("current") == "1"
    assert layout.recorded(was.SERVICE)["release"] == "1"


def test_it_says_so_when_the_earlier_release_is_not_ready_either(layout: Any) -> None:
    server = serving(layout, r2=503)
    server.answers["1"] = 503
    with pytest.raises(was.RefusedError, match="1 is back in service, but is not ready either"):
        was.activate(layout, server, "2", READY, 3)


def test_a_release_that_serves_but_is_not_ready_is_not_called_good(layout: Any) -> None:
    server = serving(layout)
    server.answers["1"] = 503
    with pytest.raises(was.RefusedError, match="Release 1 is in service, but not ready after 5 s"):
        was.activate(layout, server, "1", READY, 3)


@pytest.mark.parametrize("unit", [was.SERVICE, was.SOCKET])
def test_changed_settings_restart_what_takes_them(layout: Any, unit: str) -> None:
    server = serving(layout)
    (layout.units / unit).write_text("[Changed]")
    assert was.activate(layout, server, "1", READY, 3)["changed"]
    assert server.did("restart") == ([was.SERVICE] if unit == was.SERVICE else [was.SOCKET, was.SERVICE])


def test_a_run_that_was_killed_after_the_switch_is_completed(layout: Any) -> None:
    server = serving(layout, r2=503)
    layout.link("current", "2")
    with pytest.raises(was.RefusedError, match="1 is back in service and ready"):
        was.activate(layout, server, "2", READY, 3)


def test_a_change_that_was_not_seen_to_its_end_is_pending_and_restarts_nothing(layout: Any) -> None:
    server = serving(layout)
    assert was.status(layout, server, "1")["pending"] == []
    (layout.root / "unfinished").touch()
    assert was.status(layout, server, "1")["pending"] == [was.UNFINISHED]
    assert not was.activate(layout, server, "1", READY, 3)["changed"]
    assert server.did("restart") == []


def test_a_release_is_prepared_before_it_serves_and_not_without_success(layout: Any) -> None:
    server = serving(layout, r2=200)
    (layout.release("2") / "prepare").write_text("")
    server.refused.add("was-prepare@2.service")
    with pytest.raises(was.RefusedError, match="could not be prepared, so 1 stays in service"):
        was.activate(layout, server, "2", READY, 3)
    assert server.did("restart") == []
    server.refused.clear()
    was.activate(layout, server, "2", READY, 3)
    assert server.did("start")[-1] == "was-prepare@2.service"


def test_a_release_that_is_not_here_is_refused(layout: Any) -> None:
    with pytest.raises(was.RefusedError, match="Release 9 is not on this host"):
        was.activate(layout, serving(layout), "9", READY, 3)


def test_old_releases_go_but_never_those_that_serve_or_served() -> None:
    assert was.superfluous(["5", "4", "3", "2", "1"], 2, {"3", "1"}) == ["2"]
    assert was.superfluous(["2", "1"], 3, set()) == []


def test_a_server_that_keeps_crashing_is_not_waited_for(layout: Any) -> None:
    server = serving(layout, r2=503)
    server.crashes = lambda: 3
    with pytest.raises(was.RefusedError, match="ended by itself 3 times"):
        was.activate(layout, server, "2", READY, 3)
    assert server.clock == 0


def chosen(**given: Any) -> argparse.Namespace:
    defaults: dict[str, Any] = {
        "release": "",
        "requirement": [],
        "wheels": None,
        "war": None,
        "prepare": "",
        "check": False,
    }
    return argparse.Namespace(**(defaults | given))


def test_a_war_is_a_release_named_after_its_content(tmp_path: Path) -> None:
    war = tmp_path / "shop"
    (war / "WEB-INF").mkdir(parents=True)
    (war / "index.html").write_text("one")
    first = installing.install(tmp_path / "releases", chosen(war=war))
    again = installing.install(tmp_path / "releases", chosen(war=war))
    (war / "index.html").write_text("two")
    other = installing.install(tmp_path / "releases", chosen(war=war))
    assert (first["changed"], again["changed"], other["changed"]) == (True, False, True)
    assert first["release"] == again["release"] != other["release"]
    assert (tmp_path / "releases" / first["release"] / "application/index.html").read_text() == "one"


def test_a_broken_war_leaves_nothing_half(tmp_path: Path) -> None:
    war = tmp_path / "shop.war"
    war.write_text("not a zip")
    with pytest.raises(installing.RefusedError, match="is not a WAR"):
        installing.install(tmp_path / "releases", chosen(war=war))
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_release_is_prepared_by_its_own_programs_and_by_those_of_the_host(tmp_path: Path) -> None:
    war = tmp_path / "shop"
    war.mkdir()
    said = installing.install(tmp_path / "releases", chosen(war=war, prepare="sh -c 'migrate && echo \"it is done\"'"))
    release = tmp_path / "releases" / said["release"]
    own = release / "venv/bin/migrate"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\necho migrated\n")
    own.chmod(0o755)
    done = subprocess.run([release / "prepare"], check=True, capture_output=True, text=True)
    assert done.stdout == "migrated\nit is done\n"
