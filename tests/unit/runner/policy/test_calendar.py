"""The calendar becomes servers per hour, with the reason for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runner.errors import PolicyError
from runner.policy.calendar import load, plan, wanted_at

INVENTORIES = Path(__file__).resolve().parents[4] / "inventories"
SEOUL = ZoneInfo("Asia/Seoul")
FILE = """
time_zone: Asia/Seoul
ceiling: 8
servers_per_load: 0.01
week:
  - {days: [mon, tue, wed, thu, fri], from: "18:00", to: "22:00", load: 200}
  - {days: [mon, fri], from: "20:00", to: "21:00", load: 250}
  - {days: [sun], from: "10:00", to: "24:00", load: 300}
holidays: {country: KR, like: sun, factor: 1.5, named: {Chuseok: 2.0, 설날: 2.5}}
openings:
  - {film: Echo, from: "2026-12-16 17:30", to: "2026-12-16 23:00", factor: 2.0}
  - {film: Foxtrot, from: "2026-12-17 09:15", to: "2026-12-17 12:00", servers: 3}
"""
CALENDAR = load(FILE, "calendar.yml")


def at(text: str, zone: ZoneInfo = SEOUL) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "wanted", "because"),
    [
        ("2026-11-25 17:59", 0, "usual load 0 on wed 17:59"),
        ("2026-11-25 18:00", 2, "usual load 200 on wed 18:00"),
        ("2026-11-25 22:00", 0, "usual load 0 on wed 22:00"),
        ("2026-11-27 20:30", 3, "usual load 250 on fri 20:30"),
        ("2026-11-29 23:59", 3, "usual load 300 on sun 23:59"),
        ("2026-12-25 11:00", 5, "usual load 300 on sun 11:00, x1.5 for Christmas Day"),
        ("2026-09-25 11:00", 6, "usual load 300 on sun 11:00, x2 for Chuseok"),
        ("2026-02-17 11:00", 8, "usual load 300 on sun 11:00, x2.5 for Korean New Year"),
        ("2027-02-07 11:00", 8, "usual load 300 on sun 11:00, x2.5 for Korean New Year"),
        ("2026-12-16 18:00", 4, "usual load 200 on wed 18:00, x2 for the opening of Echo"),
        ("2026-12-16 23:00", 0, "usual load 0 on wed 23:00"),
        ("2026-12-17 09:15", 3, "usual load 0 on thu 09:15, at least 3 for the opening of Foxtrot"),
    ],
)
def test_the_servers_of_a_moment_and_why(moment: str, wanted: int, because: str) -> None:
    assert wanted_at(CALENDAR, at(moment)) == (wanted, because)
    assert wanted_at(CALENDAR, at(moment).astimezone(UTC)) == (wanted, because)


def test_the_ceiling_caps_and_says_so() -> None:
    lower = load(FILE.replace("ceiling: 8", "ceiling: 5"), "calendar.yml")
    wanted, because = wanted_at(lower, at("2026-09-25 11:00"))
    assert wanted == 5
    assert because.endswith("the ceiling is 5, not the 6 asked for")


def test_a_load_is_a_number_of_servers_unless_the_file_says_otherwise() -> None:
    text = 'ceiling: 9\nweek: [{days: [mon], from: "00:00", to: "24:00", load: 4}]'
    assert wanted_at(load(text, "calendar.yml"), at("2026-11-23 05:00", ZoneInfo("UTC")))[0] == 4


def test_a_plan_has_each_hour_of_the_local_clock_with_its_busiest_quarter() -> None:
    hours = plan(CALENDAR, at("2026-12-16 16:40"), 8)
    assert [hour.starts_at.astimezone(SEOUL).hour for hour in hours] == [16, 17, 18, 19, 20, 21, 22, 23]
    assert [hour.wanted for hour in hours] == [0, 0, 4, 4, 4, 4, 0, 0]
    assert all(hour.starts_at.tzinfo is UTC for hour in hours)
    assert [hour.wanted for hour in plan(CALENDAR, at("2026-12-17 08:00"), 3)] == [0, 3, 3]


def test_a_zone_that_changes_its_clock_has_days_of_23_and_25_hours() -> None:
    text = 'ceiling: 9\ntime_zone: Europe/Berlin\nweek: [{days: [sun], from: "00:00", to: "24:00", load: 1}]'
    berlin, zone = load(text, "calendar.yml"), ZoneInfo("Europe/Berlin")
    for day, length in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-01", 24)):
        assert sum(hour.wanted for hour in plan(berlin, at(f"{day} 00:00", zone) - timedelta(hours=3), 40)) == length


def test_the_hours_of_a_zone_of_half_hours_begin_on_its_own_clock() -> None:
    india = load("ceiling: 1\ntime_zone: Asia/Kolkata", "calendar.yml")
    assert plan(india, at("2026-11-25 10:10", ZoneInfo("Asia/Kolkata")), 1)[0].starts_at.minute == 30


@given(some.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)))
def test_every_moment_has_a_number_within_the_ceiling_and_the_same_twice(moment: datetime) -> None:
    found = wanted_at(CALENDAR, moment.replace(tzinfo=UTC))
    assert 0 <= found[0] <= 8
    assert found == wanted_at(CALENDAR, moment.replace(tzinfo=UTC))


@pytest.mark.parametrize(("inventory", "wanted"), [("lab", 0), ("production", 6)])
def test_the_inventories_file_is_valid(inventory: str, wanted: int) -> None:
    example = load((INVENTORIES / inventory / "calendar.yml").read_text(encoding="utf-8"), "calendar.yml")
    assert wanted_at(example, at("2026-12-16 18:00"))[0] == wanted


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('from: "18:00"', 'from: "18:10"', "week[0].from is '18:10'; expected a time of day on a quarter of an hour"),
        ('to: "24:00"', 'to: "24:15"', "week[2].to is '24:15'; expected a time of day"),
        ('to: "22:00"', 'to: "08:00"', "week[0].to is '08:00'; expected a time after its from"),
        ("[sun]", "[sunday]", "week[2].days[0] is 'sunday'; expected 'mon', "),
        ("country: KR", "country: XX", "holidays.country is 'XX'; expected the code of a country"),
        ("factor: 1.5", "factor: 0", "holidays.factor is 0; expected a number greater than 0."),
        ("2026-12-16 17:30", "2026-13-16 17:30", "openings[0].from is '2026-13-16 17:30'; expected date and time"),
        ("2026-12-16 23:00", "2026-12-15 23:00", "openings[0].to is '2026-12-15 23:00'; expected a time after"),
        ("ceiling: 8", "ceiling: 201", "ceiling is 201; expected a number less than or equal to 200."),
        ("ceiling: 8\n", "", "ceiling is missing; add it."),
        ("film: Echo", "title: Echo", "openings[0].film is missing"),
        ("time_zone: Asia/Seoul", "time_zone: Seoul", "time_zone is 'Seoul'; expected a time zone such as Asia/Seoul."),
    ],
)
def test_a_wrong_calendar_is_refused_with_file_key_and_value(before: str, after: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(FILE.replace(before, after, 1), "calendar.yml")
    assert f"calendar.yml: {message}" in str(refused.value)
