"""What a customer with a telephone reads and does, page by page."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from lab.crowd import NAME
from tests.acceptance.conftest import ROOT

SCREENS = ROOT / "reports" / "screens"
WIDTH, HEIGHT = 390, 844  # CSS pixels of a common telephone
FINGER = 24  # CSS pixels; WCAG 2.2, success criterion 2.5.8
HANGUL = re.compile(r"[ㄱ-ㆎ가-힣]")
TORN = """places => places.map(place => {
    const text = document.createRange();
    text.selectNodeContents(place);
    return text.getClientRects().length > 1 ? place.textContent : "";
}).filter(Boolean)"""


@dataclass(frozen=True)
class Words:
    """What a person reads on the way, in one language."""

    lang: str
    locale: str
    house: str
    wish: str
    cinema: str
    day: str
    search: str
    choose: str
    hold: str
    seats: str
    pay: str
    name: str
    contact: str
    card: str
    booked: str
    number: str
    lookup: str
    find: str
    unknown: str
    cancel: str
    cancelled: str
    refund: str
    customer: str


KOREAN = Words(
    lang="ko",
    locale="ko-KR",
    house="언더스터디 시네마",
    wish="어떤 영화를 보시겠어요?",
    cinema="극장",
    day="날짜",
    search="상영 시간 보기",
    choose="좌석 선택",
    hold="좌석 선점하기",
    seats="좌석",
    pay="결제",
    name="이름",
    contact="이메일 또는 전화번호",
    card="카드",
    booked="예매가 완료되었습니다",
    number="예매 번호",
    lookup="예매 확인",
    find="찾기",
    unknown="예매 번호와 연락처가 일치하는 예매가 없습니다. 다시 확인해 주세요.",
    cancel="예매 취소",
    cancelled="취소된 예매입니다",
    refund="환불 처리 중",
    customer="김하늘",
)
ENGLISH = Words(
    lang="en",
    locale="en-GB",
    house="Understudy Cinemas",
    wish="What would you like to see?",
    cinema="Cinema",
    day="Day",
    search="Show screenings",
    choose="Choose seats",
    hold="Hold these seats",
    seats="Seats",
    pay="Pay",
    name="Name",
    contact="E-mail or telephone",
    card="Card",
    booked="You are booked",
    number="Booking number",
    lookup="My booking",
    find="Find",
    unknown="There is no booking of this number and contact. Check both.",
    cancel="Cancel this booking",
    cancelled="This booking is cancelled",
    refund="the money is on its way back",
    customer="Haneul O'Kim",
)


@dataclass
class Person:
    """Somebody who taps through the shop and looks at every page."""

    page: Page
    words: Words

    def sees(self, step: str, title: str, heading: str) -> None:
        """Look at a page: its name, its language, whether it fits; and keep a picture of it."""
        page = self.page
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page).to_have_title(title)
        expect(page.locator("html")).to_have_attribute("lang", self.words.lang)
        page.screenshot(path=SCREENS / f"{self.words.lang}-{step}.png", full_page=True)
        wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide == [WIDTH, WIDTH], f"{step}: the page is wider than the telephone: {wide}"
        small = [
            f"{place.inner_text() or place.get_attribute('name')} {box['width']:g}x{box['height']:g}"
            for place in page.locator("main :is(a, button, input, select):visible").all()
            if (box := place.bounding_box()) and min(box["width"], box["height"]) < FINGER
        ]
        assert not small, f"{step}: too small for a finger: {small[:5]} of {len(small)}"
        text = page.locator("body").inner_text().replace("한국어" if self.words.lang == "en" else "English", "")
        if self.words.lang == "en":
            assert not HANGUL.search(text), text
        else:
            assert HANGUL.search(heading)
            assert not re.search(r"[a-z]{4,} [a-z]{3,}", text), f"{step}: English on a Korean page: {text}"

    def chooses_a_screening(self) -> None:
        """Look for a screening tomorrow, at one of the cinemas."""
        page, words = self.page, self.words
        page.goto(f"https://{NAME}/")
        self.sees("1-start", words.house, words.wish)
        cinemas = page.get_by_label(words.cinema, exact=True)
        cinemas.select_option(str(random.randint(1, 65)))
        page.get_by_label(words.day, exact=True).select_option(index=1)
        page.get_by_role("button", name=words.search).tap()
        expect(page.get_by_role("heading", level=2)).to_be_visible()
        self.sees("2-screenings", words.house, words.wish)
        page.locator(".times a:not(.full)").last.tap()

    def holds_two_seats(self) -> list[str]:
        """Choose two free seats, one after the other, in the middle row."""
        page, words = self.page, self.words
        self.sees("3-seats", words.choose, words.choose)
        assert page.locator(".seats").evaluate("seats => seats.scrollWidth <= seats.clientWidth"), "seats out of sight"
        assert page.locator(".seat span").evaluate_all(TORN) == [], "seat numbers over two lines"
        price = re.search(r"₩(\d\d),000", page.locator("form").inner_text())
        assert price, "no price"
        free = page.locator(".seat input:enabled")
        middle = free.count() // 2
        seats = [str(free.nth(place).get_attribute("value")) for place in (middle, middle + 1)]
        for seat in seats:
            page.get_by_label(re.compile(rf"{seat}$")).tap()
            expect(page.get_by_label(re.compile(rf"{seat}$"))).to_be_checked()
        page.screenshot(path=SCREENS / f"{words.lang}-4-chosen.png")
        page.get_by_role("button", name=words.hold).tap()
        page.wait_for_url("**/holds/*")
        self.sees("5-pay", words.pay, words.pay)
        expect(page.get_by_text(f"{words.seats}: {', '.join(seats)}")).to_be_visible()
        expect(page.locator(".total")).to_have_text(f"₩{2 * int(price[1])},000")
        return seats

    def pays(self, contact: str) -> str:
        """Pay, and return the amount as it was shown."""
        page, words = self.page, self.words
        page.get_by_label(words.name, exact=True).fill(words.customer)
        page.get_by_label(words.contact, exact=True).fill(contact)
        page.get_by_label(words.card, exact=True).fill("tok_visa")
        amount = page.locator(".total").inner_text()
        button = page.get_by_role("button", name=amount)
        expect(button).to_contain_text(words.pay)
        button.tap()
        page.wait_for_url("**/bookings/*")
        return amount

    def looks_up(self, number: str, contact: str) -> None:
        """Find a booking again from the first page."""
        page, words = self.page, self.words
        page.goto(f"https://{NAME}/")
        page.get_by_role("link", name=words.lookup).tap()
        page.get_by_label(words.number, exact=True).fill(number)
        page.get_by_label(words.contact, exact=True).fill(contact)
        self.sees("7-lookup", words.lookup, words.lookup)
        page.get_by_role("button", name=words.find).tap()
