"""A person with a telephone books a seat, pays, looks the booking up and cancels it, in Korean and in English."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, BrowserType, Error, Page, expect, sync_playwright

from lab import faults
from lab.crowd import NAME
from tests.acceptance.conftest import CUSTOMERS, OPERATOR, SSH, Lab, eventually
from tests.acceptance.crowds import payments
from tests.acceptance.customer import ENGLISH, HEIGHT, KOREAN, SCREENS, WIDTH, Person, Words
from tests.acceptance.edges import CLOUD_EDGE, COLO_EDGE

AUTHORITY = OPERATOR / "pki" / "ca.crt"
PATIENCE_MS = 60_000  # the machine runs three sites, a cloud and perhaps a crowd of customers
CHROMIUM = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Sends a form again from a page of the shop, as a browser does whose first answer was lost.
SEND = """([target, fields]) => {
    const form = document.createElement("form");
    form.method = "post";
    [form.action, form.acceptCharset] = [target, "utf-8"];
    for (const [name, value] of fields) {
        const field = document.createElement("input");
        [field.name, field.value] = [name, value];
        form.append(field);
    }
    document.body.append(form);
    form.submit();
}"""


@dataclass(frozen=True)
class Phones:
    """Telephones in the customers' network: their packets leave from a customer's host, through its SSH server."""

    kind: BrowserType
    ways: dict[str, int]  # edge: the port on this machine that leads there
    home: Path

    @contextmanager
    def browser(self, edge: str, home: Path | None = None) -> Iterator[Browser]:
        """Open a browser whose resolver gives one edge as the address of the shop."""
        rule = f"MAP {NAME}:443 127.0.0.1:{self.ways[edge]}"  # a SOCKS proxy would resolve the name past such a rule
        arguments = [*CHROMIUM, "--no-proxy-server", f"--host-resolver-rules={rule}"]
        environment: dict[str, str | float | bool] = {**os.environ, "HOME": str(home or self.home)}
        browser = self.kind.launch(
            executable_path="/usr/bin/chromium", args=arguments, env=environment, timeout=PATIENCE_MS
        )
        try:
            yield browser
        finally:
            browser.close()

    @contextmanager
    def page(self, edge: str, locale: str, *, scripts: bool) -> Iterator[Page]:
        """Open a page of a telephone's size."""
        with self.browser(edge) as browser:
            context = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT},
                device_scale_factor=2,
                is_mobile=True,
                has_touch=True,
                locale=locale,
                timezone_id="Asia/Seoul",
                java_script_enabled=scripts,
            )
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto("data:text/html,<title>off</title><script>document.title='on'</script>")
            assert page.title() == ("on" if scripts else "off")
            yield page


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, int]]:
    """Lend out a customer's ways to the edges; this machine itself reaches hosts over the management network only."""
    ports = {edge: _free_port() for edge in (COLO_EDGE, CLOUD_EDGE)}
    options = ["-N", "-o", "ExitOnForwardFailure=yes"]
    options += [word for edge, port in ports.items() for word in ("-L", f"127.0.0.1:{port}:{edge}:443")]
    with subprocess.Popen([*SSH, *options, f"ansible@{CUSTOMERS['crowd1']}"]) as way:
        try:
            eventually(lambda: all(map(_listens, ports.values())) or way.poll() is not None, 30, "ways through crowd1")
            assert way.poll() is None, f"ssh to crowd1 ended with {way.returncode}"
            yield ports
        finally:
            way.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def phones(ways: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    """Give telephones that trust the project's authority beside the well-known ones, and nothing else."""
    home = tmp_path_factory.mktemp("home")
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-n", "understudy", "-t", "C,,", "-i", str(AUTHORITY)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, timeout=60)
    expect.set_options(timeout=PATIENCE_MS)
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        yield Phones(playwright.chromium, ways, home)


@pytest.mark.lab
@pytest.mark.parametrize(
    ("words", "scripts", "edge"),
    [(KOREAN, False, COLO_EDGE), (ENGLISH, True, CLOUD_EDGE)],
    ids=["korean without javascript at the colo", "english with javascript in the cloud"],
)
def test_a_person_with_a_telephone_books_pays_looks_up_and_cancels(
    phones: Phones, words: Words, scripts: bool, edge: str
) -> None:
    contact = f"{words.lang}-{datetime.now():%H%M%S}@example.com"
    with phones.page(edge, words.locale, scripts=scripts) as page:
        person = Person(page, words)
        person.chooses_a_screening()
        seats = person.holds_two_seats()
        amount = person.pays(contact)

        number = page.locator(".number").inner_text()
        title = f"{'예매' if words is KOREAN else 'Booking'} {number}"
        person.sees("6-booked", title, words.booked)
        ticket = page.locator(".ticket")
        for text in (f"{words.seats}: {', '.join(seats)}", f"{words.name}: {words.customer}", amount):
            expect(ticket).to_contain_text(text)

        person.looks_up(number, "somebody.else@example.com")
        expect(page.get_by_role("alert")).to_have_text(words.unknown)
        person.sees("8-unknown", words.lookup, words.lookup)
        person.looks_up(number, contact)
        person.sees("9-found", title, words.booked)
        expect(ticket).to_contain_text(f"{words.seats}: {', '.join(seats)}")

        page.get_by_role("button", name=words.cancel).tap()
        person.sees("10-cancelled", title, words.cancelled)
        expect(page.locator(".total")).to_have_text(f"{amount} · {words.refund}")
        expect(page.get_by_role("button")).to_have_count(0)
        person.looks_up(number, contact)
        expect(page.get_by_role("heading", level=1)).to_have_text(words.cancelled)


@pytest.mark.lab
def test_a_purchase_that_is_sent_again_to_the_other_site_is_one_booking_and_one_payment(
    phones: Phones, lab: Lab, site: faults.Lab
) -> None:
    before = payments(lab, site)
    with phones.page(COLO_EDGE, KOREAN.locale, scripts=True) as page:
        person = Person(page, KOREAN)
        person.chooses_a_screening()
        person.holds_two_seats()
        with page.expect_request(lambda asked: asked.method == "POST") as paying:
            person.pays(f"twice-{datetime.now():%H%M%S}@example.com")
        sent = paying.value
        number = page.locator(".number").inner_text()
    key = re.search(r"/payments/([^/?#]+)$", sent.url)
    assert key, sent.url
    fields = parse_qsl(sent.post_data or "", keep_blank_values=True)
    assert ("idempotency_key", key[1]) in fields

    with phones.page(CLOUD_EDGE, KOREAN.locale, scripts=True) as page:
        page.goto(f"https://{NAME}/")
        page.evaluate(SEND, [sent.url, fields])
        page.wait_for_url("**/bookings/*")
        again = page.locator(".number").inner_text()

    assert again == number
    assert sorted(set(payments(lab, site)) - set(before)) == [key[1]]


@pytest.mark.lab
def test_the_switch_changes_the_language_and_the_browser_remembers_it(phones: Phones) -> None:
    with phones.page(COLO_EDGE, KOREAN.locale, scripts=False) as page:
        page.goto(f"https://{NAME}/lookup")
        expect(page).to_have_title(KOREAN.lookup)
        page.get_by_role("link", name="English").tap()
        expect(page).to_have_title(ENGLISH.lookup)
        page.goto(f"https://{NAME}/")
        expect(page).to_have_title(ENGLISH.house)


@pytest.mark.lab
def test_a_browser_that_does_not_know_the_authority_refuses_the_shop(phones: Phones, tmp_path: Path) -> None:
    with phones.browser(COLO_EDGE, home=tmp_path) as browser, pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        browser.new_page().goto(f"https://{NAME}/", timeout=PATIENCE_MS)
