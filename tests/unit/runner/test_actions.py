"""The catalogue knows what may be asked for, and refuses the rest by name and value."""

from __future__ import annotations

import dataclasses

import pytest

from runner.actions import CATALOGUE, Variable, action_named, checked
from runner.errors import InvalidRequest

SCALE_OUT = CATALOGUE["scale_out"]
CHOOSY = dataclasses.replace(
    SCALE_OUT, variables={"mode": Variable(str, "how", choices=("slow", "fast")), "gentle": Variable(bool, "softly")}
)


def test_an_action_is_found_by_its_name() -> None:
    assert action_named("scale_out") is SCALE_OUT
    with pytest.raises(
        InvalidRequest,
        match="no action 'dance'; there are bake_database_image, bake_image, count_servers, fail_back_to_colo",
    ):
        action_named("dance")


def test_what_undoes_an_action_is_an_action_of_the_same_lock() -> None:
    for action in CATALOGUE.values():
        if action.undo is not None:
            assert CATALOGUE[action.undo].lock == action.lock


def test_variables_within_their_limits_are_taken() -> None:
    assert checked(SCALE_OUT, {"wanted_servers": 0}) == {"wanted_servers": 0}
    assert checked(SCALE_OUT, {"wanted_servers": 200}) == {"wanted_servers": 200}
    assert checked(CHOOSY, {"mode": "fast", "gentle": False}) == {"mode": "fast", "gentle": False}
    assert checked(CHOOSY, {}) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs wanted_servers"),
        ({"wanted_servers": -1}, "is -1; the least is 0"),
        ({"wanted_servers": 201}, "is 201; the most is 200"),
        ({"wanted_servers": "3"}, "is '3'; expected int"),
        ({"wanted_servers": True}, "is True; expected int"),
        ({"wanted_servers": None}, "is None; expected int"),
        ({"wanted_servers": 1, "force": True}, "knows no variable 'force'; it takes: wanted_servers"),
    ],
)
def test_other_variables_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        checked(SCALE_OUT, given)


def test_a_choice_that_is_not_offered_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="mode is 'rash'; expected one of slow, fast"):
        checked(CHOOSY, {"mode": "rash"})
