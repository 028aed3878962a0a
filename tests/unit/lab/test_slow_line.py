from __future__ import annotations

from lab import slow, topology
from lab.slow_line import Direction


def test_a_packet_arrives_after_exactly_the_delay() -> None:
    line = Direction(delay_seconds=0.04, bytes_per_second=None)

    line.accept(b"x" * 1500, now=10.0)

    assert line.due(10.0399) == []
    assert line.due(10.0401) == [b"x" * 1500]


def test_packets_arrive_in_the_order_they_came() -> None:
    line = Direction(delay_seconds=0.01, bytes_per_second=None)
    for number in (b"1", b"2", b"3"):
        line.accept(number, now=5.0)

    assert line.due(6.0) == [b"1", b"2", b"3"]


def test_a_limited_line_sends_one_packet_after_the_other() -> None:
    line = Direction(delay_seconds=0.0, bytes_per_second=1000)
    line.accept(b"x" * 10, now=0.0)
    line.accept(b"y" * 10, now=0.0)

    assert line.due(0.0101) == [b"x" * 10]
    assert line.due(0.0201) == [b"y" * 10]


def test_a_limited_line_that_was_idle_owes_nothing() -> None:
    line = Direction(delay_seconds=0.0, bytes_per_second=1000)
    line.accept(b"x" * 10, now=0.0)
    line.due(1.0)
    line.accept(b"y" * 10, now=50.0)

    assert line.due(50.0101) == [b"y" * 10]


def test_what_does_not_fit_before_a_limited_line_is_lost() -> None:
    line = Direction(delay_seconds=0.0, bytes_per_second=1000)
    accepted = [line.accept(b"x" * 50, now=0.0) for _ in range(10)]

    assert accepted[:3] == [True, True, True]
    assert not any(accepted[3:])


def test_every_two_sites_have_a_line_with_devices_and_tables_of_its_own() -> None:
    found = slow.lines(topology.load())

    assert len({line.sites for line in found}) == 6
    assert len({device for line in found for device in line.devices}) == 12
    assert len({table for line in found for table in line.tables}) == 12
