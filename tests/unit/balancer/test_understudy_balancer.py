"""What the tool on the edges reads and decides; what it does is tried by molecule's scenario balancer."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.programs import load

if TYPE_CHECKING:
    from collections.abc import Iterator


STATE = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
4 was 1 colo-was1 10.20.1.11 {first} {admin} 1
4 was 2 cloud-was1 10.20.2.11 {second} 0 1
5 other 1 colo-was9 10.20.1.19 2 0 1
"""
STATISTICS = """# pxname,svname,qcur,scur,check_status,check_code
was,colo-was1,1,{requests},L7OK,200
was,cloud-was1,0,0,L7STS,503
"""
UP, DOWN = 2, 0


tool = load("balancer", "understudy_balancer")


class Haproxy:
    """A runtime socket that knows the three commands."""

    def __init__(self, path: Path) -> None:
        self.first, self.second, self.admin, self.requests = UP, UP, 0, -1
        self.told: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.sendall(self.answer(connection.recv(4096).decode().strip()).encode())

    def answer(self, command: str) -> str:
        if command.startswith("show servers state"):
            return STATE.format(first=self.first, second=self.second, admin=self.admin)
        if command.startswith("show stat"):
            return STATISTICS.format(requests=self.requests)
        self.told.append(command)
        self.admin = {"drain": 8, "maint": 1}.get(command.rsplit(" ", 1)[1], 0)
        return "\n"


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Haproxy]:
    served = Haproxy(tmp_path / "admin.sock")
    yield served
    served.socket.close()


@pytest.fixture
def edge(tmp_path: Path, haproxy: Haproxy) -> object:
    return tool.Edge("colo-gw1", tmp_path / "admin.sock", tmp_path / "server-state")


def test_servers_of_other_backends_are_not_seen() -> None:
    servers = tool.parse(STATE.format(first=UP, second=DOWN, admin=0), STATISTICS.format(requests=2))
    assert set(servers) == {"colo-was1", "cloud-was1"}
    assert servers["colo-was1"].usable
    assert servers["colo-was1"].requests == 3
    assert not servers["cloud-was1"].usable
    assert servers["cloud-was1"].last_check == "L7STS 503"


def test_a_place_that_the_configuration_began_closed_is_usable_once_it_was_let_in() -> None:
    assert tool.Server("a", admin=0x04, operational=UP).usable


@pytest.mark.parametrize("admin", [0x01, 0x01 | 0x04, 0x08, 0x10])
def test_a_server_in_drain_or_maintenance_is_not_usable(admin: int) -> None:
    assert not tool.Server("a", admin=admin, operational=UP).usable


def test_draining_tells_the_one_server_and_keeps_it_for_the_next_load(
    edge: object, haproxy: Haproxy, tmp_path: Path
) -> None:
    assert tool.drain(edge, "colo-was1", 1, last=False, close=False, check=False)
    assert haproxy.told == ["set server was/colo-was1 state drain"]
    assert "colo-was1 10.20.1.11 2 8" in (tmp_path / "server-state").read_text(encoding="utf-8")


def test_draining_a_drained_server_changes_nothing(edge: object, haproxy: Haproxy) -> None:
    haproxy.admin = 8
    assert not tool.drain(edge, "colo-was1", 1, last=False, close=False, check=False)
    assert haproxy.told == []


@pytest.mark.parametrize(("before", "told"), [(0, ["drain", "maint"]), (8, ["maint"]), (1, []), (0x01 | 0x04, [])])
def test_the_place_of_a_server_that_goes_for_good_is_closed_once(
    edge: object, haproxy: Haproxy, before: int, told: list[str]
) -> None:
    haproxy.admin = before
    assert tool.drain(edge, "colo-was1", 1, last=False, close=True, check=True) is bool(told)
    assert tool.drain(edge, "colo-was1", 1, last=False, close=True, check=False) is bool(told)
    assert [command.rsplit(" ", 1)[1] for command in haproxy.told] == told


def test_a_place_is_closed_when_its_server_has_finished_its_requests_and_not_before(
    edge: object, haproxy: Haproxy
) -> None:
    haproxy.requests = 4
    with pytest.raises(tool.RefusalError, match="still had 5 requests"):
        tool.drain(edge, "colo-was1", 0.2, last=False, close=True, check=False)
    assert haproxy.told == ["set server was/colo-was1 state drain"]


def test_a_server_that_does_not_finish_in_time_is_told(edge: object, haproxy: Haproxy) -> None:
    haproxy.requests = 4
    with pytest.raises(tool.RefusalError, match=r"colo-was1 still had 5 requests at colo-gw1 after 0\.2 s"):
        tool.drain(edge, "colo-was1", 0.2, last=False, close=False, check=False)


def test_the_last_usable_server_is_not_drained(edge: object, haproxy: Haproxy) -> None:
    haproxy.second = DOWN
    with pytest.raises(tool.RefusalError, match="is the only usable server of colo-gw1"):
        tool.drain(edge, "colo-was1", 1, last=False, close=False, check=False)
    assert haproxy.told == []


def test_the_last_usable_server_is_drained_when_told_so(edge: object, haproxy: Haproxy) -> None:
    haproxy.second = DOWN
    assert tool.drain(edge, "colo-was1", 1, last=True, close=False, check=False)


def test_a_server_that_is_down_may_be_drained_when_no_other_is_up(edge: object, haproxy: Haproxy) -> None:
    haproxy.first = haproxy.second = DOWN
    assert tool.drain(edge, "colo-was1", 1, last=False, close=False, check=False)


def test_enrolling_waits_for_the_health_check(edge: object, haproxy: Haproxy) -> None:
    haproxy.admin = 8
    assert tool.enrol(edge, "colo-was1", 1, check=False)
    assert haproxy.told == ["set server was/colo-was1 state ready"]


def test_a_server_that_does_not_become_ready_is_told_with_its_last_check(edge: object, haproxy: Haproxy) -> None:
    haproxy.second = DOWN
    with pytest.raises(tool.RefusalError, match=r"not ready after 0\.2 s; its last health check said 'L7STS 503'"):
        tool.enrol(edge, "cloud-was1", 0.2, check=False)


def test_looking_only_changes_nothing(edge: object, haproxy: Haproxy) -> None:
    assert tool.drain(edge, "colo-was1", 1, last=False, close=False, check=True)
    assert not tool.enrol(edge, "colo-was1", 1, check=True)
    assert haproxy.told == []


def test_an_unknown_server_is_named_with_those_that_are_known(edge: object) -> None:
    with pytest.raises(tool.RefusalError, match="knows no server 'was7'; it knows cloud-was1, colo-was1"):
        tool.drain(edge, "was7", 1, last=False, close=False, check=False)


def test_a_silent_haproxy_is_told(tmp_path: Path) -> None:
    with pytest.raises(tool.RefusalError, match="HAProxy on colo-gw1 does not answer"):
        tool.Edge("colo-gw1", tmp_path / "nothing.sock").servers()
