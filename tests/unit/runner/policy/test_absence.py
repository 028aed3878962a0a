"""While the colo is lost the plan wants its servers too, within the ceilings; when it is back, no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import PolicyError
from runner.model import Capacity
from runner.policy.absence import Absence, came_back, counted_since, load, raised, unplanned
from runner.policy.calendar import PlannedHour

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOST = Absence(servers=2, ceiling=5, since=NOON + timedelta(minutes=20))
BACK = Absence(servers=0, ceiling=0, since=NOON, over=True)


def hours(*wanted: int) -> tuple[PlannedHour, ...]:
    """Return hours of which the second begins at noon."""
    return tuple(PlannedHour(NOON + timedelta(hours=n - 1), count, "usual") for n, count in enumerate(wanted))


def test_each_hour_of_the_absence_wants_the_colos_servers_too() -> None:
    found = raised(hours(1, 1, 3), LOST, None)
    assert [hour.wanted for hour in found] == [1, 3, 5]
    assert found[0].reason == "usual"
    assert found[1].reason == "usual, and 2 in place of the lost colo's"


@pytest.mark.parametrize(("ceiling", "wanted"), [(None, [1, 5, 5]), (4, [1, 4, 4]), (9, [1, 5, 5])])
def test_the_lower_ceiling_caps_and_says_so(ceiling: int | None, wanted: list[int]) -> None:
    found = raised(hours(1, 3, 4), LOST, ceiling)
    assert [hour.wanted for hour in found] == wanted
    assert found[2].reason.endswith(f"(the ceiling is {wanted[2]}, not the 6 asked for)")


def test_an_absence_never_takes_servers_from_an_hour() -> None:
    assert raised(hours(0, 9), LOST, 12)[1].wanted == 9


def test_without_an_absence_and_after_it_the_plan_is_the_calendars() -> None:
    for absence in (None, BACK):
        assert raised(hours(1, 2), absence, 4) == hours(1, 2)


def test_a_count_from_before_the_loss_is_not_believed() -> None:
    count = Capacity(wanted=4, ready=4, age_seconds=600, stale=False)
    now = LOST.since + timedelta(minutes=5)
    assert counted_since(LOST, count, now) is None
    assert counted_since(LOST, count, now + timedelta(minutes=5)) == count
    for absence in (None, BACK):
        assert counted_since(absence, count, now) == count


def test_the_colo_counts_as_back_for_a_few_hours() -> None:
    assert came_back(BACK, NOON + timedelta(minutes=1), None)
    assert not came_back(BACK, NOON + timedelta(hours=3), None)
    assert not came_back(LOST, NOON + timedelta(hours=1), None)
    assert not came_back(None, NOON, None)


def test_what_was_asked_for_since_the_return_does_not_stand_in_for_the_colo() -> None:
    now = NOON + timedelta(minutes=30)
    assert came_back(BACK, now, NOON - timedelta(minutes=1))
    assert not came_back(BACK, now, NOON + timedelta(minutes=1))


def test_without_a_calendar_the_hours_want_nothing_but_what_the_colo_had() -> None:
    found = raised(unplanned(NOON + timedelta(minutes=30), 2), LOST, None)
    assert [(hour.starts_at - NOON, hour.wanted) for hour in found] == [
        (timedelta(hours=-3), 0), (timedelta(hours=-2), 0), (timedelta(hours=-1), 0),
        (timedelta(0), 2), (timedelta(hours=1), 2),
    ]  # fmt: skip
    assert found[-1].reason == "there is no calendar, and 2 in place of the lost colo's"


def test_the_file_of_a_failover_and_of_a_return_is_read_with_its_moment() -> None:
    lost = load("# from a playbook\ncolo: lost\nservers: 2\nceiling: 5\n", "absence.yml", LOST.since)
    assert lost == LOST
    assert load("colo: back\n", "absence.yml", NOON) == BACK


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colo: away\n", "absence.yml: colo is 'away'; expected 'lost' or 'back'"),
        ("servers: 2\n", "absence.yml: colo is missing"),
        ("colo: lost\nservers: many\n", "absence.yml: servers is 'many'"),
        ("colo: lost\nserver: 2\n", "absence.yml: server is not a key that is known"),
        ("", "absence.yml: The file is empty"),
    ],
)
def test_a_file_that_says_something_else_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load(text, "absence.yml", NOON)
