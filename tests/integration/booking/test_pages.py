"""A person books with a browser, without JavaScript, in Korean and in English."""

from __future__ import annotations

import re

import httpx
import psycopg
import pytest

from tests.integration.booking.shop import Customer, Shop, wait_until

WORDS = {
    "ko": ("좌석 선택", "예매가 완료되었습니다", "취소된 예매입니다"),
    "en": ("Choose seats", "You are booked", "is cancelled"),
}


def browser(shop: Shop, language: str = "en") -> httpx.Client:
    accept = {"ko": "ko-KR,ko;q=0.9", "en": "en-GB,en;q=0.9"}[language]
    return httpx.Client(
        base_url=shop.url, headers={"Accept-Language": accept, "Origin": shop.url}, follow_redirects=True, timeout=10
    )


def hold_page(person: httpx.Client, shop: Shop, *seats: str) -> tuple[httpx.Response, str]:
    screening = Customer(shop.url).screening()["id"]
    page = person.post(f"/screenings/{screening}", data={"seat": list(seats)})
    found = re.search(r'action="(/holds/[^"]+/payments/[^"]+)"', page.text)
    return page, found[1] if found else ""


ORDER = {"customer_name": "김민서", "contact": "010-1234-5678", "card_token": "tok_visa", "amount_won": "10000"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_person_books_and_cancels(shop: Shop, language: str) -> None:
    choose, booked, cancelled = WORDS[language]
    with browser(shop, language) as person:
        listed = person.get("/", params={"theatre_id": 9000, "date": Customer(shop.url).screening()["starts_at"][:10]})
        assert re.search(r'href="/screenings/\d+"', listed.text)
        assert choose in person.get(f"/screenings/{Customer(shop.url).screening()['id']}").text
        page, action = hold_page(person, shop, "A3")
        assert page.status_code == 200
        bought = person.post(action, data=ORDER)
        assert bought.status_code == 200
        assert booked in bought.text
        assert "김민서" in bought.text
        number = bought.url.path.rpartition("/")[2]
        found = person.get("/lookup", params={"number": number.lower(), "contact": "01012345678"})
        assert booked in found.text
        gone = person.post(f"/bookings/{number}/cancel", data={"contact": "01012345678"})
        assert cancelled in gone.text
    assert list(shop.payments().values()) == ["refunded"]


def test_a_double_click_is_one_booking(shop: Shop) -> None:
    with browser(shop) as person:
        _, action = hold_page(person, shop, "A3")
        first, second = person.post(action, data=ORDER), person.post(action, data=ORDER)
    assert first.url == second.url
    assert len(shop.payments()) == 1


def test_taken_seats_and_refused_cards_are_said_on_the_page(shop: Shop) -> None:
    with browser(shop) as person:
        _, action = hold_page(person, shop, "A3")
        taken, _ = hold_page(person, shop, "A3")
        assert taken.status_code == 409
        assert "Somebody else has taken" in taken.text
        declined = person.post(action, data=ORDER | {"card_token": "tok_declined"})
        assert declined.status_code == 402
        assert "nothing was charged" in declined.text
        again = re.search(r'action="(/holds/[^"]+/payments/[^"]+)"', declined.text)
        assert again is not None
        assert again[1] != action
        assert person.post(again[1], data=ORDER).status_code == 200
        wrong = person.post(again[1], data=ORDER | {"contact": "nobody"})
        assert wrong.status_code == 422
        assert "김민서" in wrong.text


def test_a_pending_payments_page_goes_on_by_itself(shop: Shop) -> None:
    shop.break_gateway("silent")
    with browser(shop) as person:
        _, action = hold_page(person, shop, "A3")
        pending = person.post(action, data=ORDER)
        assert pending.status_code == 202
        assert f"url={action}" in pending.text
        ended = wait_until(
            lambda: (page := person.get(action)).status_code == 200 and page, 10, "the payment is settled"
        )
        assert "You are booked" in ended.text


def test_a_payment_that_never_came_in_is_made_once_by_sending_it_again(shop: Shop) -> None:
    with browser(shop) as person:
        _, action = hold_page(person, shop, "A3")
        asked = person.get(action)  # as the page of a payment that took too long does by itself
        assert asked.status_code == 404
        assert "We did not receive your payment" in asked.text
        assert re.search(r'action="(/holds/[^"]+/payments/[^"]+)"', asked.text)[1] == action  # type: ignore[index]
        first = person.post(action, data=ORDER)  # late, but it comes in
        again = person.post(action, data=ORDER)
    assert first.status_code == again.status_code == 200
    assert first.url == again.url
    assert len(shop.payments()) == 1


def test_the_switch_is_remembered_and_wins_over_the_browser(shop: Shop) -> None:
    with browser(shop, "ko") as person:
        assert 'lang="ko"' in person.get("/").text
        assert 'lang="en"' in person.get("/?lang=en").text
        assert 'lang="en"' in person.get("/lookup").text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_forms_of_other_sites_are_refused(shop: Shop, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{shop.url}/screenings/1", data={"seat": "A1"}, headers=headers)
    assert answer.status_code == 403


def test_broken_text_in_a_form_is_refused(shop: Shop) -> None:
    headers = {"Origin": shop.url, "Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"seat=%ff%fe", b"seat=\xff"):
        assert httpx.post(f"{shop.url}/screenings/1", content=body, headers=headers).status_code == 400


def test_pages_forbid_scripts_and_framing(shop: Shop) -> None:
    answer = httpx.get(f"{shop.url}/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert re.fullmatch(r"server-\d", answer.headers["x-understudy-server"])


def test_an_unknown_page_is_a_page(shop: Shop) -> None:
    for path in ("/nothing", "/screenings/x", "/holds/x", "/bookings/NUMBER?contact=a@b.example"):
        answer = httpx.get(f"{shop.url}{path}", headers={"Accept-Language": "en"})
        assert answer.status_code == 404
        assert "<h1>" in answer.text


def test_what_has_just_been_added_to_the_programme_can_be_sold_at_once(
    shop: Shop, database: psycopg.Connection
) -> None:
    with browser(shop) as person:
        person.get("/")  # the server remembers the programme from here on
        database.execute("INSERT INTO theatres VALUES (77, 'new', '새 극장', 'New house', '서울', 'Seoul')")
        database.execute("INSERT INTO films VALUES (77, 'new', '새 영화', 'New film', 90, 'ALL')")
        database.execute(
            "INSERT INTO auditoriums (id, theatre_id, name, seats_total, seats_per_row) VALUES (7700, 77, '1', 10, 5)"
        )
        added = database.execute(
            "INSERT INTO screenings (film_id, auditorium_id, starts_at, price_won) "
            "VALUES (77, 7700, now() + interval '3 hours', 10000) RETURNING id"
        ).fetchone()
        assert added is not None
        seats = person.get(f"/screenings/{added[0]}")
        assert seats.status_code == 200
        assert "New house" in seats.text
        assert "New film" in person.get("/", params={"film_id": 77}).text
