"""What a drill leaves: lines as they happen, a sealed folder, and one line for who waits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import faults, topology
from lab.commands import run
from lab.drills import record
from lab.errors import LabError
from lab.paths import Paths


@pytest.fixture
def lab(tmp_path: Path) -> faults.Lab:
    paths = Paths(tmp_path / "s", tmp_path / "c", tmp_path / "r")
    paths.operator.mkdir(parents=True)
    return faults.Lab(topology.load(), paths)


def folder(tmp_path: Path, name: str) -> Path:
    made = tmp_path / "evidence" / name
    record.write(made / "result.json", {"rto_s": 27.0})
    return made


def test_the_timeline_is_on_disk_as_it_happens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timeline = record.Timeline(tmp_path / "timeline.jsonl")
    timeline.tell("power-off colo")
    timeline.tell("now")
    lines = [json.loads(line) for line in timeline.file.read_text().splitlines()]
    assert [line["what"] for line in lines] == ["power-off colo", "now"]
    assert lines[0].keys() == {"at", "at_s", "what"}
    assert "power-off colo" in capsys.readouterr().out


def test_drills_are_sealed_one_after_the_other_with_one_key(lab: faults.Lab, tmp_path: Path) -> None:
    assert "number 1" in record.seal(lab, folder(tmp_path, "1-drill-was-dies"))
    key = (lab.paths.operator / "evidence").read_bytes()
    assert "number 2" in record.seal(lab, folder(tmp_path, "2-drill-colo-dark"))
    assert (lab.paths.operator / "evidence").read_bytes() == key
    assert (lab.paths.operator / "evidence").stat().st_mode & 0o077 == 0


def test_what_the_key_of_an_earlier_lab_signed_still_counts(lab: faults.Lab, tmp_path: Path) -> None:
    record.seal(lab, folder(tmp_path, "1-drill-was-dies"))
    for file in lab.paths.operator.glob("evidence*"):
        file.unlink()
    record.seal(lab, folder(tmp_path, "2-drill-colo-dark"))
    signers = ["--signers", str(tmp_path / "evidence_signers")]
    command = ["understudy", "evidence", "verify", "--root", str(tmp_path / "evidence"), *signers]
    assert "all is as it was sealed" in run(command)


def test_a_sealed_folder_that_was_changed_is_not_sealed_over(lab: faults.Lab, tmp_path: Path) -> None:
    changed = folder(tmp_path, "1-drill-was-dies")
    record.seal(lab, changed)
    record.write(changed / "result.json", {"rto_s": 1.0})
    with pytest.raises(LabError, match="files were changed"):
        record.seal(lab, changed)


def test_the_summary_tells_what_was_not_measured() -> None:
    result = {
        "row": "was-dies", "verdict": "met", "rto_s": 1.26, "deadline_seconds": 10.0, "rpo_s": 0, "rpo_bookings": 0,
        "sold_twice": 0, "both_sites_wrote_ms": None,
    }  # fmt: skip
    assert record.summary(result) == (
        "was-dies: met; rto 1.3 s (deadline 10 s); rpo 0.0 s, 0 bookings; sold twice 0; both sites wrote not measured"
    )
