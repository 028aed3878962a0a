"""Which burst servers are made, finished, kept and removed."""

from __future__ import annotations

import dataclasses

import pytest

from plugins.module_utils import burst_plan
from plugins.module_utils.burst_plan import BUILDING, SERVING, Place, RefusedError, Room, Server, Situation

PLACES = tuple(Place(f"burst{number}", f"10.0.0.{number}") for number in range(1, 6))


def server(number: int, state: str = SERVING, status: str = "ACTIVE", minute: int | None = None) -> Server:
    return Server(
        f"id{number}-{minute}",
        f"burst{number}",
        status,
        f"2026-12-24T18:{number if minute is None else minute:02}:00Z",
        state,
    )


def situation(*servers: Server, room: Room | None = None, down: frozenset[str] = frozenset()) -> Situation:
    return Situation(servers, PLACES, down, room or Room(), cores_each=2, ram_mib_each=1024)


def names(entries: tuple[Server, ...] | tuple[Place, ...]) -> list[str]:
    return [entry.name for entry in entries]


def test_from_nothing_the_first_places_are_filled() -> None:
    plan = burst_plan.out(situation(), 2)
    assert names(plan.create) == ["burst1", "burst2"]
    assert (plan.keep, plan.finish, plan.remove, plan.short) == ((), (), (), "")


def test_what_serves_is_kept_and_only_the_rest_is_made() -> None:
    plan = burst_plan.out(situation(server(1), server(3)), 3)
    assert names(plan.keep) == ["burst1", "burst3"]
    assert names(plan.create) == ["burst2"]


def test_a_second_run_with_the_same_wish_does_nothing() -> None:
    plan = burst_plan.out(situation(server(1), server(2)), 2)
    assert (plan.create, plan.finish, plan.remove, plan.told) == ((), (), (), ())


def test_a_half_built_server_is_finished_before_a_new_one_is_made() -> None:
    plan = burst_plan.out(situation(server(2, BUILDING)), 2)
    assert names(plan.finish) == ["burst2"]
    assert names(plan.create) == ["burst1"]
    assert "half-built" in plan.told[0]


def test_half_built_servers_that_nobody_needs_are_removed() -> None:
    plan = burst_plan.out(situation(server(1), server(2, BUILDING)), 1)
    assert names(plan.remove) == ["burst2"]


@pytest.mark.parametrize("status", ["ERROR", "SHUTOFF", "DELETED"])
def test_a_dead_server_is_replaced(status: str) -> None:
    plan = burst_plan.out(situation(server(1), server(2, status=status)), 2)
    assert names(plan.remove) == ["burst2"]
    assert names(plan.create) == ["burst3"]  # a place that is empty needs no waiting
    assert status in plan.told[0]


def test_a_server_that_no_edge_finds_ready_is_replaced() -> None:
    plan = burst_plan.out(situation(server(1), server(2), down=frozenset({"burst1"})), 2)
    assert names(plan.remove) == ["burst1"]
    assert names(plan.keep) == ["burst2"]
    assert names(plan.create) == ["burst3"]


def test_a_half_built_server_is_not_called_down() -> None:
    plan = burst_plan.out(situation(server(1, BUILDING), down=frozenset({"burst1"})), 1)
    assert names(plan.finish) == ["burst1"]


def test_scaling_out_never_removes_what_serves() -> None:
    plan = burst_plan.out(situation(server(1), server(2), server(3)), 1)
    assert plan.remove == ()
    assert "scale_in.yml" in plan.told[0]


def test_of_two_servers_of_one_name_the_serving_one_stays() -> None:
    twin = dataclasses.replace(server(1, BUILDING, minute=59), id="twin")
    plan = burst_plan.out(situation(twin, server(1)), 1)
    assert [each.id for each in plan.remove] == ["twin"]
    assert names(plan.keep) == ["burst1"]


def test_a_server_at_no_known_place_is_removed() -> None:
    plan = burst_plan.out(situation(server(9)), 0)
    assert names(plan.remove) == ["burst9"]


@pytest.mark.parametrize(
    ("room", "made", "word"),
    [
        (Room(servers=1), 1, "1 servers"),
        (Room(cores=5), 2, "5 cores"),
        (Room(ram_mib=1024), 1, "1024 MiB"),
        (Room(servers=0), 0, "0 servers"),
        (Room(servers=9, cores=-1), 0, "0 cores"),
    ],
)
def test_a_quota_that_ends_is_used_up_and_said(room: Room, made: int, word: str) -> None:
    plan = burst_plan.out(situation(room=room), 3)
    assert len(plan.create) == made
    assert word in plan.short
    assert f"enough for {made}" in plan.short


def test_a_quota_that_suffices_is_not_mentioned() -> None:
    assert burst_plan.out(situation(room=Room(3, 6, 3072)), 3).short == ""


def test_what_is_removed_makes_room_for_its_successor() -> None:
    plan = burst_plan.out(situation(server(1, status="ERROR"), room=Room(servers=0)), 1)
    assert len(plan.create) == 1
    assert plan.short == ""


@pytest.mark.parametrize(
    ("room", "allowed"), [(Room(servers=1), 4), (Room(servers=9, cores=5), 5), (Room(servers=-2), 3), (Room(), None)]
)
def test_the_quota_allows_those_that_are_there_and_what_it_leaves(room: Room, allowed: int | None) -> None:
    servers = (server(1), server(2, BUILDING), server(3, status="ERROR"))  # each has its part already
    assert situation(*servers, room=room).allowed == allowed


def test_looking_plans_nothing_whatever_is_wanted() -> None:
    plan = burst_plan.look(situation(server(1), server(2, BUILDING)), 99)
    assert (names(plan.keep), plan.create, plan.remove) == (["burst1"], (), ())


def test_when_all_places_are_taken_the_dead_ones_place_is_used_again() -> None:
    servers = [server(number) for number in range(1, 5)]
    plan = burst_plan.out(situation(*servers, server(5, status="ERROR")), 5)
    assert names(plan.create) == ["burst5"]


def test_the_newest_go_first() -> None:
    plan = burst_plan.into(situation(server(1, minute=30), server(2, minute=10), server(3, minute=20)), 1)
    assert names(plan.keep) == ["burst2"]
    assert names(plan.remove) == ["burst1", "burst3"]


def test_half_built_and_dead_servers_go_with_any_removal() -> None:
    plan = burst_plan.into(situation(server(1), server(2, BUILDING), server(3, status="ERROR")), 1)
    assert names(plan.keep) == ["burst1"]
    assert names(plan.remove) == ["burst3", "burst2"]


def test_scaling_in_makes_nothing() -> None:
    plan = burst_plan.into(situation(server(1)), 3)
    assert (plan.create, plan.remove) == ((), ())
    assert "scale_out.yml" in plan.told[0]


@pytest.mark.parametrize("decide", [burst_plan.out, burst_plan.into])
@pytest.mark.parametrize(
    ("wanted", "floor", "ceiling", "word"),
    [(5, 0, 4, "ceiling is 4"), (1, 2, 4, "floor is 2"), (1, 0, 6, "5 places"), (-1, 0, 4, "floor is 0")],
)
def test_wishes_out_of_bounds_are_refused(decide: object, wanted: int, floor: int, ceiling: int, word: str) -> None:
    with pytest.raises(RefusedError, match=word):
        decide(situation(), wanted, floor, ceiling)  # type: ignore[operator]  # one of two functions
