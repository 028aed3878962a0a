"""What customers may type, and how seats are called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from booking.errors import Refusal
from booking.model import Screening, in_seat_order, row_name, seat_exists, seat_names
from booking.service import checking
from hypothesis import given
from hypothesis import strategies as st

HALL = Screening(1, 1, 1, "1", datetime(2030, 1, 1, tzinfo=UTC), 10_000, 30, 12, 30)


@pytest.mark.parametrize("text", ["Kim", " 김 민서 ", "O'Brien; DROP TABLE x", "<b>", "👩‍🎤 Ziggy", "x" * 80])
def test_names_that_people_have(text: str) -> None:
    assert checking.name(text) == text.strip()


@pytest.mark.parametrize("text", ["", "  ", "x" * 81, "a\nb", "a\x00", "\ud800"])
def test_names_that_nobody_has(text: str) -> None:
    with pytest.raises(Refusal, match="name"):
        checking.name(text)


@pytest.mark.parametrize("text", ["a@b.example", "010-1234-5678", "+82 10 1234 5678", "(02)123-4567"[1:]])
def test_contacts(text: str) -> None:
    if ")" in text:
        text = text.replace(")", " ")
    assert checking.contact(text) == text


@pytest.mark.parametrize("text", ["", "a@b", "@b.example", "12345", "a b@c.example", "a@b.example\nBcc: x@y.example"])
def test_no_contacts(text: str) -> None:
    with pytest.raises(Refusal):
        checking.contact(text)


def test_contacts_are_the_same_however_they_are_written() -> None:
    assert checking.same_contact("A@B.example", "a@b.EXAMPLE ")
    assert checking.same_contact("010-1234-5678", "01012345678")
    assert not checking.same_contact("010-1234-5678", "010-1234-5679")
    assert not checking.same_contact("a@b.example", "01012345678")


@pytest.mark.parametrize("wanted", [[], ["A1", "A1"], ["A1"] * 9, ["A13"], ["C7"], ["A01"], ["ㄱ1"], ["A1 "]])
def test_seats_that_a_hall_does_not_have(wanted: list[str]) -> None:
    with pytest.raises(Refusal):
        checking.seats(wanted, HALL)


def test_seats_are_sorted() -> None:
    assert checking.seats(["C6", "A2"], HALL) == ["A2", "C6"]


@given(total=st.integers(1, 3000), width=st.integers(1, 100))
def test_seats_are_shown_as_they_stand_and_not_by_their_letters(total: int, width: int) -> None:
    names = seat_names(total, width)
    assert in_seat_order(sorted(names)) == names


@given(total=st.integers(1, 3000), width=st.integers(1, 100))
def test_a_hall_has_exactly_the_seats_that_it_names(total: int, width: int) -> None:
    names = seat_names(total, width)
    assert len(set(names)) == total
    assert all(seat_exists(name, total, width) for name in names)
    assert not seat_exists(seat_names(total + 1, width)[-1], total, width)


def test_rows_after_z_have_two_letters() -> None:
    assert [row_name(index) for index in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]
