"""Customers of the tests, and what must be true of them afterwards whatever was broken meanwhile."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from lab import crowd, faults
from tests.acceptance.conftest import ROOT, Done, Lab

ARRIVALS = 6  # customers per second
LONGEST_SECONDS = 900  # of a crowd that stays until a test lets it leave
AFTER_SECONDS = 3  # that customers still come when what was done to them has ended
AUTHORITY, SECRET = "/etc/understudy/tls/ca.crt", "/etc/understudy/gateway.secret"


class Crowd:
    """Customers who buy in the background while a test breaks something; with `with` none stays behind."""

    def __init__(
        self,
        site: faults.Lab,
        name: str,
        seconds: int = LONGEST_SECONDS,
        options: Sequence[str] = (),
        arrivals: float = ARRIVALS,
    ) -> None:
        self.site, self.run = site, f"{name}-{time.strftime('%H%M%S')}"
        words = ["--arrivals", f"{arrivals:g}", "--duration", str(seconds), *options]
        self.process = crowd.start(site, self.run, words)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            crowd.send_home(self.site, self.run)
            self.process.wait()

    def leave(self) -> None:
        """Let customers come for some seconds more, which they must have done until now, and then no more of them."""
        time.sleep(AFTER_SECONDS)
        assert self.process.poll() is None, f"{self.run}: the crowd had left before"
        crowd.send_home(self.site, self.run)

    def end(self, settle_seconds: int = 60) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        """Wait until the last customer has gone; return their report, their journal and the audit."""
        shopping = crowd.finish(self.site, self.run, self.process)
        lines = [json.loads(line) for line in shopping.journal.splitlines()]
        audit = crowd.audit(self.site, shopping.journal, settle_seconds=settle_seconds)
        keep(self.run, shopping.report, audit)
        return shopping.report, lines, audit


def keep(name: str, report: dict[str, Any], audit: dict[str, Any]) -> None:
    """Keep what was measured beside the other reports."""
    folder = ROOT / "reports/show"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"report": report, "audit": audit}, indent=1), encoding="utf-8")


def clean(audit: dict[str, Any]) -> None:
    """Demand that nothing was lost, sold twice, or paid for nothing."""
    faulty = {key: value for key, value in audit.items() if key not in {"confirmed", "findings"} and value}
    assert not faulty, (faulty, audit["findings"][:5])


def nobody_was_let_down(report: dict[str, Any]) -> None:
    """Demand that every request got a proper answer and every customer an end to the purchase."""
    assert report["requests"]["failed"] == 0, report["failures"]
    assert report["purchases"]["gave_up"] == 0, report["purchases"]
    assert report["purchases"]["confirmed"] > 0


def at(line: dict[str, Any]) -> float:
    """Return when a booking was confirmed, in seconds since the epoch."""
    return datetime.fromisoformat(line["at"]).timestamp()


def bought_throughout(lines: list[dict[str, Any]], began: float, ended: float) -> None:
    """Demand that customers bought while something went on, from its beginning beyond its end."""
    times = [at(line) for line in lines]
    assert any(began <= each <= ended for each in times), "nobody bought while it went on"
    assert any(each > ended for each in times), "the crowd had left before it ended"


def gateway(lab: Lab, site: faults.Lab, target: str, *words: str) -> Done:
    """Ask the payment company's gateway, as the shop may."""
    trusted = f'curl -sf --max-time 5 --cacert {AUTHORITY} -H "Authorization: Bearer $(cat {SECRET})"'
    asked = f"{trusted} {shlex.join([*words, crowd.gateway(site) + target])}"
    done = lab.on("crowd1", shlex.join(["sudo", "sh", "-c", asked]))
    assert done.ok, done.out + done.err
    return done


def payments(lab: Lab, site: faults.Lab) -> list[str]:
    """List the references of all payments that the gateway has ever taken."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = json.loads(gateway(lab, site, f"/payments?limit=5000&after={after}").out)
        found += [each["merchant_reference"] for each in page["payments"]]
        after = page["next"]
    return found
