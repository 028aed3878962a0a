"""`booking load` against a shop in memory: who books what, what is repeated, what is reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from booking.crowd.journal import read

from tests.integration.booking.crowd_shop import DROP, NEVER_CAME, Shop, open_shop, pages

RUN = "import typer; from booking.crowd.command import load; typer.run(load)"


@pytest.fixture
def shop() -> Iterator[Shop]:
    seats = [f"{row}{number}" for row in "ABCDE" for number in range(1, 11)]
    shop = Shop({1: list(seats), 2: list(seats)})
    with open_shop(shop, *pages(shop)):
        yield shop


def start(shop: Shop, folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, "--edge", shop.address, "--seed", "1"]
    files = ["--journal", str(folder / "journal"), "--report", str(folder / "report.json")]
    return subprocess.Popen([*command, *files, *options], stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def load(shop: Shop, folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    process = start(shop, folder, *options)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.parametrize("mix", ["api=1", "pages=1", "api=0.6,pages=0.4"])
def test_more_customers_than_seats_sell_every_seat_once_and_the_journal_knows_each(
    shop: Shop, tmp_path: Path, mix: str
) -> None:
    report = load(shop, tmp_path, "--customers", "16", "--attempts", "150", "--mix", mix, "--theatre", "load")
    bought = report["purchases"]
    assert bought["attempted"] == 150
    assert bought["confirmed"] + bought["sold_out"] == 150
    assert report["requests"]["failed"] == 0
    assert Counter(shop.sold()) == {
        (screening, seat): 1 for screening, seats in shop.screenings.items() for seat in seats
    }
    journal = read(tmp_path / "journal")
    assert sorted(
        (e.booking_number, e.idempotency_key, e.screening_id, list(e.seats), e.amount_won) for e in journal
    ) == sorted(
        (b["booking_number"], key, b["screening_id"], b["seats"], b["amount_won"]) for key, b in shop.bookings.items()
    )
    assert {(entry.edge, entry.server) for entry in journal} == {("127.0.0.1", "fake")}
    assert report["servers"] == {"fake": report["edges"]["127.0.0.1"]}


@pytest.mark.parametrize("way", ["api", "pages"])
@pytest.mark.parametrize("where", [("--screening", "1"), ("--theatre", "load")])
def test_who_contends_asks_once_for_seats_that_nobody_can_have(
    shop: Shop, tmp_path: Path, way: str, where: tuple[str, str]
) -> None:
    shop.taken = {(screening, seat): "others" for screening, seats in shop.screenings.items() for seat in seats}
    options = ["--customers", "4", "--attempts", "20", "--mix", f"{way}=1", *where]
    assert load(shop, tmp_path, *options)["holds"] == {"tried": 0, "refused": 0}
    report = load(shop, tmp_path, *options, "--contend", "1")
    assert report["holds"] == {"tried": 20, "refused": 20}
    assert report["purchases"]["sold_out"] == 20
    assert report["requests"]["by_status"]["409"] == 20
    assert len(set(shop.wanted)) > 1, "all wanted the same seats"


@pytest.mark.parametrize("mix", ["api=1", "pages=1"])
def test_who_contends_buys_what_is_free_like_everybody(shop: Shop, tmp_path: Path, mix: str) -> None:
    report = load(
        shop, tmp_path, "--customers", "16", "--attempts", "100", "--mix", mix, "--screening", "1", "--contend", "1"
    )
    bought, holds = report["purchases"], report["holds"]
    assert sorted(shop.sold()) == sorted((1, seat) for seat in shop.screenings[1])
    assert bought["confirmed"] + bought["sold_out"] == 100
    assert holds["tried"] - holds["refused"] == bought["confirmed"]
    assert holds["refused"] >= bought["sold_out"]


def test_half_of_the_customers_ask_in_korean(shop: Shop, tmp_path: Path) -> None:
    load(shop, tmp_path, "--customers", "8", "--attempts", "60")
    languages = Counter(headers["Accept-Language"][:2] for _, _, headers in shop.asked)
    assert set(languages) == {"ko", "en"}
    assert min(languages.values()) > 0.25 * languages.total()


@pytest.mark.parametrize(("way", "path"), [("api", "/api/v1/purchases"), ("pages", "/holds/h0/payments/key-of-h0")])
def test_a_purchase_whose_answer_is_lost_is_repeated_with_its_key_and_booked_once(
    shop: Shop, tmp_path: Path, way: str, path: str
) -> None:
    shop.faults[f"POST {path}"] = [503, DROP, 429]
    report = load(shop, tmp_path, "--customers", "1", "--attempts", "1", "--mix", f"{way}=1", "--screening", "1")
    assert report["purchases"]["confirmed"] == 1
    assert (report["requests"]["retried"], report["requests"]["waited"], report["requests"]["failed"]) == (2, 1, 0)
    assert len(shop.bookings) == len(read(tmp_path / "journal")) == 1
    assert {status: report["requests"]["by_status"].get(status) for status in ("503", "429", "connection")} == {
        "503": 1,
        "429": 1,
        "connection": 1,
    }


def test_a_pending_purchase_is_asked_for_again_with_its_key(shop: Shop, tmp_path: Path) -> None:
    shop.faults["POST /api/v1/purchases"] = [202, 202]
    report = load(shop, tmp_path, "--customers", "1", "--attempts", "1", "--mix", "api=1", "--theatre", "load")
    keys = {headers["Idempotency-Key"] for method, path, headers in shop.asked if path == "/api/v1/purchases"}
    assert len(keys) == 1
    assert report["purchases"]["confirmed"] == 1


def test_a_payment_that_did_not_come_in_is_sent_once_more_from_the_page_that_says_so(
    shop: Shop, tmp_path: Path
) -> None:
    shop.faults["POST /holds/h0/payments/key-of-h0"] = [NEVER_CAME]
    report = load(shop, tmp_path, "--customers", "1", "--attempts", "1", "--mix", "pages=1", "--screening", "1")
    assert report["purchases"]["confirmed"] == 1
    assert report["requests"]["failed"] == 0
    assert len(shop.bookings) == len(read(tmp_path / "journal")) == 1


def test_a_declined_card_buys_nothing_and_is_no_failure(shop: Shop, tmp_path: Path) -> None:
    report = load(shop, tmp_path, "--customers", "2", "--attempts", "6", "--declined", "1", "--theatre", "load")
    assert report["purchases"]["declined"] == 6
    assert read(tmp_path / "journal") == []


def test_a_server_error_makes_the_command_fail_and_the_report_says_where(shop: Shop, tmp_path: Path) -> None:
    shop.faults["GET /api/v1/theatres"] = [500]
    report = load(shop, tmp_path, "--customers", "1", "--attempts", "1", "--mix", "api=1", code=1)
    assert report["requests"]["failed"] == report["purchases"]["gave_up"] == 1
    assert report["failures"][0]["kind"] == "theatres"


def test_customers_arrive_as_planned_and_the_progress_is_told(shop: Shop, tmp_path: Path) -> None:
    process = start(shop, tmp_path, "--arrivals", "20", "--surge", "3@1+1", "--duration", "4.5", "--mix", "api=1")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert 80 <= report["purchases"]["attempted"] <= 180
    assert len([line for line in said.splitlines() if "inside" in line]) >= 2
    assert report["per_second"][1]["requests"] > report["per_second"][3]["requests"]


def test_an_interrupted_crowd_lets_those_inside_finish_and_reports(shop: Shop, tmp_path: Path) -> None:
    process = start(shop, tmp_path, "--arrivals", "20", "--duration", "600", "--mix", "api=1")
    deadline = time.monotonic() + 30
    while not shop.bookings:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    bought = report["purchases"]
    assert bought["attempted"] == sum(count for end, count in bought.items() if end != "attempted")
    assert bought["confirmed"] == len(shop.bookings) == len(read(tmp_path / "journal"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--surge", "often"], "is no surge"),
        (["--mix", "fax=1"], "is no share"),
        (["--edge", "https://a.test", "--resolve", "b.test=127.0.0.1"], "does not pin a.test"),
        (["--edge", "https://a.test", "--resolver", "nonsense"], "nonsense"),
        (["--journal", "/dev/full", "--customers", "4"], "No space left on device"),
        (["--theatre", "Globe"], "none has the number or name 'Globe'"),
        (["--edge", "http://nowhere.invalid"], "nowhere.invalid has no address"),
    ],
)
def test_a_crowd_that_cannot_be_sent_says_why(shop: Shop, tmp_path: Path, options: list[str], reason: str) -> None:
    process = start(shop, tmp_path, "--duration", "1", *options)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert reason in said
