"""The doctor looks at the machine, the programs and the network, and tells one line each."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import httpx
import pytest

from runner.cli.doctor import machine, network, programs
from runner.cli.doctor.finding import Finding
from tests.unit.runner.cli.desk import NOW, Desk

SOURCE = Path("/inventory")


def refuses(finding: Finding, *words: str) -> None:
    assert not finding.ok
    for each in words:
        assert each in finding.text


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


def test_a_state_folder_of_ones_own_is_fine(state: Path) -> None:
    assert machine.state_dir(state, os.geteuid()).ok
    state.chmod(0o750)
    assert machine.state_dir(state, os.geteuid()).ok


def test_one_that_is_open_missing_or_another_users_is_not(state: Path) -> None:
    refuses(machine.state_dir(state, os.geteuid() + 1), "belongs to", "understudy doctor")
    refuses(machine.state_dir(state / "none", os.geteuid()), "make it: install -d -m 0700")
    state.chmod(0o755)
    refuses(machine.state_dir(state, os.geteuid()), "mode 0755")


def test_one_where_nothing_may_be_run_is_not(state: Path) -> None:
    refuses(machine.state_dir(state, os.geteuid(), lambda _: os.ST_NOEXEC | os.ST_NOSUID), "mounted noexec")
    assert machine.state_dir(state, os.geteuid(), lambda _: os.ST_NOSUID).ok


def test_memory_that_is_private_and_large_enough_is_fine(state: Path, tmp_path: Path) -> None:
    assert machine.memory(state, tmp_path).ok
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_memory_that_is_full_missing_or_anothers_is_not(state: Path, tmp_path: Path) -> None:
    refuses(machine.memory(state, tmp_path, enough=1 << 62), "MB left; runs need")
    refuses(machine.memory(state, tmp_path / "none"), "cannot be made")


def test_disk_is_compared_with_what_is_wanted(state: Path) -> None:
    assert machine.disk(state / "not/yet/there", enough=1).ok
    refuses(machine.disk(state, enough=1 << 62), "make room")


def test_sqlite_is_new_enough_or_not() -> None:
    assert machine.sqlite((3, 46, 1)).ok
    refuses(machine.sqlite((3, 34, 1)), "SQLite is 3.34.1")


def test_a_store_that_is_not_there_yet_is_not_made(state: Path) -> None:
    assert machine.store(f"sqlite:///{state}/store.db").ok
    assert list(state.iterdir()) == []
    refuses(machine.store(f"sqlite:///{state}/none/store.db"), "cannot be made")


def test_a_store_that_is_broken_is_a_problem(state: Path) -> None:
    (state / "store.db").write_text("this is no database at all, only a text of some length" * 20)
    refuses(machine.store(f"sqlite:///{state}/store.db"), "The store cannot be used now")


def test_a_program_that_runs_and_one_that_does_not() -> None:
    here = {"PATH": os.environ["PATH"]}
    assert programs.ansible(here, ("echo", "ansible [core 2.21]")).text == "ansible [core 2.21]"
    refuses(programs.ansible(here, ("false",)), "`false` does not run")
    refuses(programs.ansible(here, ("no-such-program",)), "does not run")


def listing(**variables: object) -> str:
    return json.dumps({"_meta": {"hostvars": {"cloud-was1": variables, "colo-was1": {}}}})


def test_an_inventory_with_hosts_of_today_is_fine() -> None:
    assert programs.listed(listing(two_sites_stale=False), SOURCE).text == "2 hosts in /inventory"


def test_an_old_list_an_empty_one_and_none_are_problems() -> None:
    refuses(programs.listed(listing(two_sites_stale=True), SOURCE), "old list of 1 hosts, such as cloud-was1")
    refuses(programs.listed('{"_meta": {"hostvars": {}}}', SOURCE), "has no hosts")
    refuses(programs.listed("[WARNING]", SOURCE), "does not answer with a list")
    refuses(programs.inventory(SOURCE, Path("/nowhere"), {}), "There is no folder /nowhere")


def free_address() -> tuple[bool, str, int]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return (False, "127.0.0.1", found.getsockname()[1])


def test_an_address_that_is_free_or_ours_is_fine() -> None:
    address = free_address()
    assert "is free" in network.port(address).text
    assert "the service answers" in network.port(address, lambda _: True).text


def test_an_address_that_something_else_has_is_not() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = (False, "127.0.0.1", other.getsockname()[1])
        refuses(network.port(address, lambda _: False), "Address already in use", "ss -ltnp")


def test_the_clock_is_compared_with_the_api() -> None:
    assert network.clock("Wed, 25 Nov 2026 08:42:08 GMT", NOW).ok
    refuses(network.clock("Wed, 25 Nov 2026 08:40:10 GMT", NOW), "+120 s", "timedatectl")
    assert "not compared" in network.clock(None, NOW).text
    assert "not compared" in network.clock("yesterday", NOW).text


def test_the_date_is_what_the_api_told_or_nothing() -> None:
    told = httpx.MockTransport(lambda _: httpx.Response(200, headers={"date": "today"}))
    assert network.date_of("http://runner:8700", told) == "today"

    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    assert network.date_of("http://runner:8700", httpx.MockTransport(refuse)) is None


def test_without_settings_the_doctor_says_so_and_is_exit_code_1(desk: Desk) -> None:
    here = {"PATH": os.environ["PATH"], "UNDERSTUDY_SITE": "mars"}
    shown = desk.run("doctor", environment=here)
    assert shown.code == 1
    lines = shown.out.splitlines()
    assert lines[0].startswith("PROBLEM  settings        UNDERSTUDY_SITE is 'mars'")
    assert lines[1].startswith("ok       ansible")
    told = desk.run("doctor", "--json", environment=here).json
    assert told["ok"] is False
    assert [each["name"] for each in told["checks"]] == ["settings", "ansible", "SQLite"]
