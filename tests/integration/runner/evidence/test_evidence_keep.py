"""What a playbook hands over becomes a sealed folder in one step, with a key of the machine's own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from runner.evidence.manifest import MANIFEST
from tests.integration.runner.evidence.archive import NAMES, Archive

NAME = "20261128T210000Z-failover"
CONTENT: dict[str, Any] = {"timeline.jsonl": [{"at_s": 0}, {"at_s": 9.5}], "result.json": {"rto_s": None, "seconds": 9}}


@pytest.fixture
def keep(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Any:
    def kept(name: str = NAME, given: str = json.dumps(CONTENT), kind: str = "failover") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        return archive.run("keep", str(archive.root / name), "--kind", kind)

    return kept


def test_it_is_written_sealed_and_part_of_the_chain(archive: Archive, keep: Any) -> None:
    code, said = keep()
    assert code == 0, said
    assert f"{NAME} sealed: number {len(NAMES) + 1}, SHA-256 " in said
    assert archive.verify() == (0, [f"{len(NAMES) + 1} folders: all is as it was sealed."])
    lines = (archive.root / NAME / "timeline.jsonl").read_text().splitlines()
    assert [json.loads(line)["at_s"] for line in lines] == [0, 9.5]


def test_a_machine_without_a_key_makes_one_that_may_sign(archive: Archive, keep: Any) -> None:
    for file in archive.keys.glob("ours*"):
        file.unlink()
    assert keep()[0] == 0
    assert (archive.keys / "ours").stat().st_mode & 0o077 == 0
    assert archive.verify()[0] == 0  # what the key before it signed counts still
    assert keep("20261128T220000Z-failback", kind="failback")[0] == 0
    assert len((archive.keys / "signers").read_text().splitlines()) == 2


def test_evidence_is_not_written_over(archive: Archive, keep: Any) -> None:
    assert keep()[0] == 0
    code, said = keep(given='{"result.json": {}}')
    assert code != 0
    assert "is there already; evidence is never written over" in said
    assert archive.verify()[0] == 0


def test_what_an_interrupted_run_left_unsealed_is_sealed_by_the_next_and_a_running_drill_is_left_alone(
    archive: Archive, keep: Any
) -> None:
    archive.write("20261127T200000Z-failback")
    archive.write("20261127T200000Z-drill-runner-killed-mid-failover")
    code, said = keep()
    assert code == 0, said
    assert "20261127T200000Z-failback was left unsealed" in said
    assert not (archive.root / "20261127T200000Z-drill-runner-killed-mid-failover" / MANIFEST).exists()


def test_a_run_that_ends_while_it_writes_leaves_nothing_half(
    archive: Archive, keep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.evidence.folders.to_disk", full)
    code, said = keep()
    assert code != 0
    assert "No space left on device); make room" in said
    monkeypatch.undo()
    assert not (archive.root / NAME).exists()
    assert archive.verify()[0] == 0


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("failover-today", json.dumps(CONTENT), "is no name for a failover"),
        ("20261128T210000Z-failback", json.dumps(CONTENT), "is no name for a failover"),
        (NAME, '{"../x.json": 1}', "is no file of this folder"),
        (NAME, "[1", "is no JSON object"),
        (NAME, "{}", "nothing is evidence of nothing"),
    ],
)
def test_what_is_no_evidence_is_refused(archive: Archive, keep: Any, name: str, given: str, sentence: str) -> None:
    code, said = keep(name, given)
    assert code != 0
    assert sentence in said
    assert not (archive.root / name).exists()


def test_a_key_that_cannot_be_made_is_told(archive: Archive, keep: Any) -> None:
    (archive.keys / "ours").unlink()
    (archive.keys / "ours.pub").unlink()
    (archive.keys / "ours.pub").mkdir()
    code, said = keep()
    assert code != 0
    assert "cannot be used by this account" in said
    assert not Path(archive.root / NAME).exists()
    assert archive.verify()[0] == 0
