"""The waiting room is fair, keeps places by tickets, and fills every place that becomes free."""

from __future__ import annotations

import asyncio

import pytest
from booking.web.waiting import StillWaiting, Ticket, Tickets, WaitingRoom


def test_nobody_waits_below_the_limit() -> None:
    async def run() -> None:
        room = WaitingRoom(2, 0)
        await room.enter(None)
        await room.enter(None)
        assert room.active == 2
        with pytest.raises(StillWaiting):
            await room.enter(None)

    asyncio.run(run())


def test_places_go_to_those_who_arrived_first_whatever_order_they_ask_in() -> None:
    async def run() -> list[float]:
        room = WaitingRoom(1, 5)
        room.join()
        let_in: list[float] = []

        async def customer(arrived_at: float) -> None:
            await room.enter(Ticket(arrived_at))
            let_in.append(arrived_at)
            room.leave()

        tasks = [asyncio.create_task(customer(arrived_at)) for arrived_at in (30.0, 10.0, 20.0)]
        await asyncio.sleep(0)
        assert room.waiting == 3
        room.leave()
        await asyncio.gather(*tasks)
        assert room.active == 0
        return let_in

    assert asyncio.run(run()) == [10.0, 20.0, 30.0]


def test_a_newcomer_does_not_pass_those_who_wait() -> None:
    async def run() -> None:
        room = WaitingRoom(1, 5)
        room.join()
        first = asyncio.create_task(room.enter(Ticket(1.0)))
        await asyncio.sleep(0)
        second = asyncio.create_task(room.enter(None))
        await asyncio.sleep(0)
        room.leave()
        await asyncio.wait_for(first, 1)
        assert not second.done()
        room.leave()
        await asyncio.wait_for(second, 1)

    asyncio.run(run())


def test_the_position_counts_those_between_two_requests_until_they_stay_away() -> None:
    async def run() -> list[int]:
        now = [0.0]
        room = WaitingRoom(1, 0, ticks=lambda: now[0])
        room.join()
        positions = []
        for arrived_at, at in ((10.0, 0.0), (20.0, 1.0), (30.0, 2.0), (20.0, 3.0), (30.0, 11.5)):
            now[0] = at
            with pytest.raises(StillWaiting) as told:
                await room.enter(Ticket(arrived_at))
            positions.append(told.value.position)
        return positions

    assert asyncio.run(run()) == [1, 2, 3, 2, 2]


def test_a_customer_who_goes_away_while_waiting_leaves_no_gap() -> None:
    async def run() -> None:
        room = WaitingRoom(1, 5)
        room.join()
        leaver = asyncio.create_task(room.enter(Ticket(1.0)))
        stayer = asyncio.create_task(room.enter(Ticket(2.0)))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.wait({leaver})
        room.leave()
        await asyncio.wait_for(stayer, 1)
        assert room.active == 1

    asyncio.run(run())


def test_tickets_cannot_be_forged() -> None:
    tickets = Tickets("secret")
    ticket = Ticket(12.5, {"screening": 3, "seats": ["A1"]})
    text = tickets.write(ticket)
    assert tickets.read(text) == ticket
    assert Tickets("other").read(text) is None
    assert tickets.read(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert tickets.read("") is None
