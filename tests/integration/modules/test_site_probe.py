"""Module `site_probe` against doors that open, refuse, and are silent."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from plugins.modules.site_probe import is_door, knock, told


@pytest.fixture
def open_door() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent_door() -> Iterator[str]:
    """A full backlog: whoever knocks now is not answered, and not refused."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for each in waiting:
            each.close()


def closed_door() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_door_that_opens_shows_that_somebody_is_there(open_door: str) -> None:
    assert knock(open_door, 1, 2) == "opens"


def test_a_door_that_refuses_does_as_well() -> None:
    assert knock(closed_door(), 1, 2) == "refuses, so somebody is there"


def test_silence_is_nothing(silent_door: str) -> None:
    assert knock(silent_door, 2, 0.2) == ""


def test_one_answer_is_enough_to_see_the_site() -> None:
    assert told(["a:1", "b:2"], ["", "opens"]) == {"seen": "up", "words": "a:1 is silent, b:2 opens"}
    assert told(["a:1", "b:2"], ["", ""]) == {"seen": "down", "words": "a:1 is silent, b:2 is silent"}


@pytest.mark.parametrize("text", ["203.0.113.10", ":443", "203.0.113.10:https", ""])
def test_what_is_no_door(text: str) -> None:
    assert not is_door(text)


def test_an_ipv6_address_is_a_door() -> None:
    assert is_door("[2001:db8::1]:443")
