"""The crowd finds the site by name, as customers do: TTL, silent name servers, certificates, dead addresses."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest
from booking.crowd.addresses import AddressBook, by_name_servers
from booking.crowd.errors import CrowdError

from tests.integration.booking.crowd_shop import Shop, open_shop
from tests.integration.booking.test_crowd_load import load

NAME = "tickets.understudy.test"


class NameServer:
    """Answers for one name on loopback; with `silent` it reads and says nothing."""

    def __init__(self, ttl: int = 1, *addresses: str) -> None:
        self.ttl, self.addresses, self.silent, self.asked = ttl, addresses, False, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ender:
            ender.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, asker = self._socket.recvfrom(4096)
            if not packet:
                return
            self.asked += 1
            if self.silent:
                continue
            query = dns.message.from_wire(packet)
            answer = dns.message.make_response(query)
            if self.addresses:
                answer.answer = [dns.rrset.from_text(query.question[0].name, self.ttl, "IN", "A", *self.addresses)]
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), asker)


@pytest.fixture
def name_servers() -> Iterator[tuple[NameServer, NameServer]]:
    servers = NameServer(1, "192.0.2.1"), NameServer(1, "192.0.2.1")
    yield servers
    for server in servers:
        server.close()


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_new_answer_is_used_when_the_ttl_is_over_and_not_before(
    name_servers: tuple[NameServer, NameServer],
) -> None:
    first, _ = name_servers
    first.ttl = 2

    async def check() -> float:
        async with AddressBook(by_name_servers(NAME, [first.address])) as book:
            assert book.addresses == ("192.0.2.1",)
            began, first.addresses = time.monotonic(), ("192.0.2.3", "192.0.2.2")
            await _until(lambda: book.addresses == ("192.0.2.2", "192.0.2.3"))
            return time.monotonic() - began

    assert 1.9 <= asyncio.run(check()) < 5


def test_a_silent_name_server_is_passed_over(name_servers: tuple[NameServer, NameServer]) -> None:
    first, second = name_servers
    first.silent = True

    async def check() -> None:
        async with AddressBook(by_name_servers(NAME, [first.address, second.address])) as book:
            assert book.addresses == ("192.0.2.1",)

    asyncio.run(check())
    assert first.asked
    assert second.asked


@pytest.mark.parametrize("trouble", ["silence", "no such name"])
def test_the_last_answer_is_kept_while_no_name_server_gives_one(
    name_servers: tuple[NameServer, NameServer], trouble: str
) -> None:
    first, second = name_servers

    async def check() -> None:
        async with AddressBook(by_name_servers(NAME, [first.address, second.address])) as book:
            for server in name_servers:
                server.silent, server.addresses = trouble == "silence", ()
            await _until(lambda: book.silences >= 1)
            assert book.addresses == ("192.0.2.1",)
            for server in name_servers:
                server.silent, server.addresses = False, ("192.0.2.9",)
            await _until(lambda: book.addresses == ("192.0.2.9",))

    asyncio.run(check())


def test_a_name_without_an_answer_at_the_start_is_an_error_that_names_the_servers(
    name_servers: tuple[NameServer, NameServer],
) -> None:
    first, _ = name_servers
    first.silent = True

    async def check() -> None:
        async with AddressBook(by_name_servers(NAME, [first.address])):
            pass

    with pytest.raises(CrowdError, match=first.address):
        asyncio.run(check())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key -out certificate"
    )
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*command.split(), *subject], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(authority: Path) -> Iterator[Shop]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority / "certificate", authority / "key")
    shop = Shop({1: [f"A{number}" for number in range(1, 100)]})
    with open_shop(shop, hosts=("127.0.0.1", "127.0.0.2"), tls=tls):
        shop.address = shop.address.replace("127.0.0.1", NAME)
        yield shop


def pins(*addresses: str) -> list[str]:
    return [word for address in addresses for word in ("--resolve", f"{NAME}={address}")]


def test_customers_of_a_dead_address_go_to_another_and_the_certificate_is_checked_by_name(
    secure: Shop, authority: Path, tmp_path: Path
) -> None:
    options = ["--ca-file", str(authority / "certificate"), "--mix", "api=1", "--screening", "1"]
    crowd = ["--customers", "4", "--attempts", "30"]
    report = load(secure, tmp_path, *options, *crowd, *pins("127.0.0.1", "127.0.0.2", "127.0.0.3"))
    assert report["purchases"]["confirmed"] == 30
    assert report["requests"]["failed"] == 0
    assert report["requests"]["retried"] == report["requests"]["by_status"]["connection"] > 0
    assert report["edges"]["127.0.0.1"] > 0
    assert report["edges"]["127.0.0.2"] > 0
    assert {headers["Host"] for _, _, headers in secure.asked} == {secure.address.removeprefix("https://")}


def test_a_certificate_of_a_stranger_is_not_accepted(secure: Shop, tmp_path: Path) -> None:
    crowd = ["--customers", "1", "--attempts", "1", "--mix", "api=1", "--patience", "0", *pins("127.0.0.1")]
    report = load(secure, tmp_path, *crowd, code=1)
    assert "CERTIFICATE_VERIFY_FAILED" in report["failures"][0]["why"]
    assert secure.asked == []
