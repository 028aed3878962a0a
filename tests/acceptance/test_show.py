"""Customers buy through both edges while releases roll, servers die and payments go astray; nothing of theirs is lost.

Needs the booking service in the lab: `ansible-playbook playbooks/site.yml`.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab import crowd, faults
from tests.acceptance.conftest import ROOT, Done, Lab, dead, eventually, run
from tests.acceptance.crowds import ARRIVALS, Crowd, bought_throughout, clean, gateway, keep, nobody_was_let_down
from tests.acceptance.edges import CLOUD_EDGE, COLO_EDGE, EDGES, repeated, states

SERVERS = ("colo-was1", "colo-was2", "cloud-was1")
SEATS, ATTEMPTS, CUSTOMERS = 2_000, 10_000, 64
CHECK_SECONDS = 2  # that an edge takes to see that a server is gone (two checks)


@pytest.fixture(autouse=True)
def settled(lab: Lab, site: faults.Lab) -> Iterator[None]:
    """Begin and end with every server in service at every edge, payments on time, and customers at both edges."""
    ready(lab)
    yield
    behave(lab, site, mode="none")
    ready(lab)


def ready(lab: Lab) -> None:
    """Wait until both edges see every server of both sites ready."""
    for edge in EDGES:
        eventually(partial(all_up, lab, edge), 60, f"every server ready at {edge}")


def all_up(lab: Lab, edge: str) -> bool:
    """Ask an edge whether it sees every server ready."""
    return list(states(lab, edge).values()).count("up") == len(SERVERS)


def behave(lab: Lab, site: faults.Lab, **wanted: Any) -> None:
    """Tell the payment company's gateway how to behave."""
    gateway(lab, site, "/faults", "-X", "PUT", "-H", "Content-Type: application/json", "-d", json.dumps(wanted))


def playbook(name: str, *arguments: str, seconds: float = 600) -> Done:
    return run(["ansible-playbook", f"playbooks/{name}.yml", *arguments], seconds)


def test_2_000_seats_are_sold_once_each_to_10_000_attempts_through_both_edges(lab: Lab, site: faults.Lab) -> None:
    screening = fresh_screening(lab)
    name = f"seats-{time.strftime('%H%M%S')}"
    words = ["--customers", str(CUSTOMERS), "--attempts", str(ATTEMPTS), "--screening", str(screening)]
    words += ["--contend", "1.0"]  # else who sees no free seat goes away without trying
    shopping = crowd.finish(site, name, crowd.start(site, name, words))
    audit = crowd.audit(site, shopping.journal)
    keep(name, shopping.report, audit)

    clean(audit)
    nobody_was_let_down(shopping.report)
    assert not [status for status in shopping.report["requests"]["by_status"] if status.startswith("5")]
    assert shopping.report["purchases"]["attempted"] == ATTEMPTS
    assert shopping.report["holds"]["tried"] >= ATTEMPTS
    assert shopping.report["holds"]["refused"] >= ATTEMPTS - SEATS
    assert set(shopping.report["edges"]) == {COLO_EDGE, CLOUD_EDGE}
    sold = [seat for line in shopping.journal.splitlines() for seat in json.loads(line)["seats"]]
    assert len(sold) == len(set(sold)) == SEATS


def load_screenings(lab: Lab) -> list[dict[str, Any]]:
    """List the screenings of theatre `load`, which are made for tests like these."""
    trusted = "curl -sf --max-time 5 --cacert /etc/understudy/tls/ca.crt"
    base = f"{trusted} --resolve {crowd.NAME}:443:{COLO_EDGE} https://{crowd.NAME}/api/v1"
    theatres = json.loads(lab.on("crowd1", f"{base}/theatres").out)
    load = [each["id"] for each in theatres if "load" in each["name_en"].lower()]
    found = [
        json.loads(lab.on("crowd1", f"{base}/screenings?theatre_id={theatre}\\&limit=500").out) for theatre in load
    ]
    return [screening for each in found for screening in each]


def fresh_screening(lab: Lab) -> int:
    """Make a screening of 2,000 seats that nobody bought from yet."""
    number = len(load_screenings(lab)) + 1
    database = "BOOKING_DATABASE_URL_FILE=/etc/understudy/was/secrets/BOOKING_DATABASE_URL"
    seed = f"booking seed --theatres 0 --screening-seats {SEATS} --screenings {number}"
    done = lab.on("colo-was1", f"sudo {database} /srv/was/current/venv/bin/{seed}", 120)
    assert done.ok, done.out + done.err

    # Servers keep the programme for some seconds.
    def unsold() -> list[int]:
        return [each["id"] for each in load_screenings(lab) if each["seats_free"] == SEATS]

    return int(eventually(unsold, 60, "the new screening in the programme")[0])


def in_service(lab: Lab) -> dict[str, str]:
    """Map each server to the release that it runs."""
    return {server: lab.on(server, "readlink /srv/was/current").out.strip() for server in SERVERS}


def test_a_rolling_release_fails_no_purchase(lab: Lab, site: faults.Lab) -> None:
    name = crowd.next_release()
    with Crowd(site, "release") as customers:
        time.sleep(3)
        began = time.time()
        done = playbook("application", "-e", f"booking_version={name}")
        ended = time.time()
        customers.leave()
        report, lines, audit = customers.end()

    assert done.ok, done.out[-3000:]
    assert in_service(lab) == dict.fromkeys(SERVERS, f"releases/{name}")
    bought_throughout(lines, began, ended)
    nobody_was_let_down(report)
    clean(audit)


def broken_wheel(folder: Path) -> Path:
    """Make a release that installs and never becomes ready."""
    built = next((ROOT / "build/booking").glob("*.whl"))
    broken = folder / built.name
    shutil.copy(built, broken)
    with zipfile.ZipFile(broken, "a") as wheel:
        spoilt = wheel.read("booking/web/app.py") + b"\n\ndef create_app():\n    raise RuntimeError('not today')\n"
        wheel.writestr("booking/web/app.py", spoilt)
    return broken


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_release_that_never_becomes_ready_takes_itself_back_and_fails_no_purchase(
    lab: Lab, site: faults.Lab, tmp_path: Path
) -> None:
    before, name = in_service(lab), f"broken-{time.strftime('%H%M%S')}"
    with Crowd(site, "broken") as customers:
        began = time.time()
        wheel = broken_wheel(tmp_path)
        done = playbook("application", "-e", f"booking_version={name}", "-e", f"booking_wheel={wheel}")
        ended = time.time()
        customers.leave()
        report, lines, audit = customers.end()

    assert not done.ok
    assert name in done.out
    assert "did not become ready" in done.out
    assert all(before.values()), before
    assert in_service(lab) == before
    bought_throughout(lines, began, ended)
    nobody_was_let_down(report)
    clean(audit)


def taken_out(lab: Lab, edge: str, server: str) -> bool:
    """Ask an edge whether it sees that a server is gone."""
    return states(lab, edge).get(server) == "down"


def test_a_server_that_dies_costs_repeats_and_no_booking(lab: Lab, site: faults.Lab) -> None:
    """Customers repeat at most what came in until its edge took it out; an edge repeats no more, once it has.

    What was on its way to the server in the second before (the edges' limit to connect) is sent to another one.
    """
    with Crowd(site, "was") as customers:
        time.sleep(8)
        before = repeated(lab)
        with dead(lab, "colo-was2"):
            for edge in EDGES:
                eventually(partial(taken_out, lab, edge, "colo-was2"), 30, f"{edge} takes it out")
            noticed = repeated(lab)
            customers.leave()
            report, _, audit = customers.end()
            later = repeated(lab)

    nobody_was_let_down(report)
    clean(audit)
    assert report["servers"]["colo-was2"] > 0, "nobody was there when it died"
    assert report["requests"]["retried"] <= ARRIVALS * CHECK_SECONDS, "more were repeated than can have been under way"
    assert noticed > before, "no edge sent it a request after it had died"
    second = max(each["requests"] for each in report["per_second"])
    assert later - noticed <= second, "the edges repeated more than can have been on its way when they took it out"


def had_to_ask_again(lab: Lab, report: dict[str, Any], since: str) -> bool:
    """Tell whether customers were told to wait for the payment company's answer."""
    del lab, since
    return bool(report["requests"]["by_status"].get("202"))


def were_slow(lab: Lab, report: dict[str, Any], since: str) -> bool:
    """Tell whether purchases took as long as the gateway was told to take."""
    del lab, since
    return bool(report["requests"]["by_kind"]["purchase"]["p99_ms"] >= DELAY_MS["slow"])


def was_notified_twice(lab: Lab, report: dict[str, Any], since: str) -> bool:
    """Tell whether the shop took two notifications of each payment that it was told of."""
    del report
    told = lab.on("crowd1", f"sudo journalctl -u payments --since @{since} -o cat").out
    taken = re.findall(r"notification_answered reference=(\S+) status=204", told)
    return bool(taken) and len(taken) == 2 * len(set(taken))


DELAY_MS = {"late": 4000, "slow": 800}  # our limit for an answer is 2 s
BITES = {
    "late": had_to_ask_again,
    "silent": had_to_ask_again,
    "fail": had_to_ask_again,
    "slow": were_slow,
    "twice": was_notified_twice,
}


@pytest.mark.parametrize("mode", BITES)
def test_a_gateway_that_misbehaves_charges_nobody_for_nothing(lab: Lab, site: faults.Lab, mode: str) -> None:
    since = lab.on("crowd1", "date +%s").out.strip()
    shop = f"https://{COLO_EDGE}/payments/notifications"
    behave(lab, site, mode=mode, share=0.3, delay_ms=DELAY_MS.get(mode, 0), notify_url=shop)
    customers = Crowd(site, f"gateway-{mode}", 15)
    calm = threading.Timer(25, lambda: behave(lab, site, mode="none"))
    calm.start()
    report, _, audit = customers.end(settle_seconds=180)
    calm.join()

    assert BITES[mode](lab, report, since), f"customers met no gateway that is {mode}: {report['requests']}"
    clean(audit)
    assert report["requests"]["failed"] == 0, report["failures"]
    assert report["purchases"]["confirmed"] > 0


def test_the_numbers_of_a_server_are_those_of_all_its_workers(lab: Lab) -> None:
    line = 'booking_requests_total{.*route="/api/v1/theatres"'

    def counted() -> float:
        return float(lab.on("colo-was1", f"curl -sf 127.0.0.1:8080/metrics | grep '{line}' | cut -d' ' -f2").out or 0)

    before = counted()
    assert lab.on("colo-was1", "for i in $(seq 20); do curl -sf -o /dev/null 127.0.0.1:8080/api/v1/theatres; done").ok
    assert [counted() - before for _ in range(5)] == [20] * 5
