"""Whatever is sent to the API, it answers as its document says, and never with a fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.store import heartbeats, nodes
from tests.integration.runner.houses import House, submit

# A stream of a job that never ends would end the run; streams have tests of their own. The check that is left out
# takes any header that the document does not name for a wrong one.
CONFIGURATION = """
[[operations]]
include-name = "GET /jobs/{job_id}/events"
parameters = { follow = false }
[operations.checks.negative_data_rejection]
enabled = false
"""
OPEN = {"/healthz", "/readyz"}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW")
EXAMPLES = 15  # of each address, beside those of the coverage phase


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    found.add_token("root", ["admin"])
    found.start()
    yield found.ready()
    found.kill()


def test_no_request_leads_to_a_fault_and_every_answer_is_as_the_document_says(house: House) -> None:
    store = house.open()
    with store.write() as connection:  # a worker that lives: without one, readiness is rightly 503
        now = datetime.now(UTC)
        nodes.enrol(connection, "one", now, now + timedelta(hours=1))
        heartbeats.seen(connection, "Watchdog", now)
    store.close()
    submit(house)
    (house.folder / "schemathesis.toml").write_text(CONFIGURATION)
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml",
            "run", f"{house.url}/openapi.json", "--header", f"Authorization: Bearer {house.keys['root']}",
            "--max-examples", str(EXAMPLES), "--generation-deterministic", "--request-timeout", "20",
            # The document cannot say which actions there are, nor which job may be approved.
            "--exclude-checks", "positive_data_acceptance", "--continue-on-failure", "--no-color",
        ],
        cwd=house.folder, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "event=fault" not in house.log
    assert house.stop() == 0


@pytest.mark.parametrize("name", [None, "guessed"])
def test_without_a_known_token_every_method_of_every_address_is_401_but_those_of_health(
    house: House, name: str | None
) -> None:
    paths = house.ask("GET", "/openapi.json").json()["paths"]
    refused = {path.replace("{job_id}", "j1") for path in paths} - OPEN | {"/openapi.json", "/docs", "/nowhere", "/"}
    with house.client() as client:
        found = {
            (method, path): client.request(method, path, headers=house.head(name)).status_code
            for method in METHODS
            for path in sorted(refused)
        }
        assert {each: status for each, status in found.items() if status != 401} == {}
        assert {path for path in OPEN if client.get(path).status_code == 401} == set()
    assert len(found) > 100
