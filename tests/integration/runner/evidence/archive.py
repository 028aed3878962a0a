"""A place with sealed evidence, a key, and the command that works on it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.cli.main import main
from runner.cli.session import Surroundings

NOW = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
NAMES = ("drill-was-dies", "failover-1", "proof-night")


@dataclass
class Archive:
    """A place with evidence, a key, and who may sign."""

    root: Path
    keys: Path
    capsys: pytest.CaptureFixture[str]
    now: datetime = NOW

    def environment(self) -> dict[str, str]:
        return {
            "UNDERSTUDY_EVIDENCE_DIR": str(self.root),
            "UNDERSTUDY_EVIDENCE_KEY": str(self.keys / "ours"),
            "UNDERSTUDY_EVIDENCE_SIGNERS": str(self.keys / "signers"),
        }

    def run(self, *words: str) -> tuple[int, str]:
        """Run `understudy evidence`; returns the exit code and all that was written."""
        self.capsys.readouterr()
        try:
            main(["evidence", *words], Surroundings(self.environment(), clock=lambda: self.now, zone=UTC))
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        written = self.capsys.readouterr()
        return code, written.out + written.err

    def write(self, name: str) -> Path:
        folder = self.root / name
        (folder / "logs").mkdir(parents=True)
        (folder / "timeline.jsonl").write_text('{"at": "2026-12-24T18:00:00Z", "event": "dark"}\n')
        (folder / "logs/patroni.txt").write_text("no action. I am the leader\n")
        (folder / "result.json").write_text(json.dumps({"rto_s": 21.5, "rpo_bookings": 3, "sold_twice": 0}))
        return folder

    def seal(self, name: str, *words: str, kind: str = "drill") -> tuple[int, str]:
        return self.run("seal", str(self.root / name), "--kind", kind, *words)

    def verify(self, *words: str) -> tuple[int, list[str]]:
        """Verify; returns the exit code and the sentences, the last of which is the verdict."""
        code, said = self.run("verify", *words)
        return code, said.splitlines()


def make_key(file: Path) -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "understudy", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file.with_suffix(".pub").read_text()
