"""What stands outside the service: Grafana, which sends it an alert, and people's receiver, which it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.runner.installations import POLICIES, Installation
from tests.integration.runner.receivers import Receiver
from tests.integration.runner.waiting import until
from tests.unit.runner.web.test_payloads import alert, grafana

RECEIVERS = """
notifications:
  - {name: people, url_file: %s, on: [job_failed]}
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as listening:
        yield listening


def test_an_alert_of_grafana_becomes_a_line_of_the_ledger_and_a_job(installation: Installation) -> None:
    installation.ready(installation.serve())
    assert installation.deliver(grafana(alert())) == 202
    job = installation.job()
    until(lambda: installation.jobs()[0]["state"] == "succeeded", 120, "the job succeeds")
    [line] = json.loads(installation.run("ledger", "--json").stdout)["lines"]
    assert (line["source"], line["name"], line["verdict"], line["job"]) == ("grafana", "BookingSlow", "run", job)


def test_people_are_told_of_a_job_that_failed_also_when_their_receiver_refused_it_at_first(
    installation: Installation, receiver: Receiver
) -> None:
    address = installation.folder / "people"
    address.write_text(f"{receiver.url}\n")
    (installation.folder / "policies.yml").write_text(POLICIES + RECEIVERS % address)
    for name in ("oven", "burnt"):
        (installation.folder / name).touch()
    receiver.status = 503
    installation.ready(installation.serve())
    assert installation.run("submit", "bake_image").returncode == 0
    until(lambda: "event=notification_failed kind=job_failed" in installation.log, 120, "it was refused")
    receiver.status = 200
    until(lambda: len(receiver.came) >= 2, 120, "it is told again")

    assert receiver.came[0] == receiver.came[1]
    told = receiver.came[1]
    assert told["title"] == "Failed: bake_image"
    assert "Look at the image failed on" in told["message"]
    assert f"understudy show {installation.job()}" in told["message"]
    assert receiver.url not in installation.log
