"""Evidence that was touched after it was sealed is found, with folder and file; signatures are ssh-keygen's own."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import main
from runner.cli.session import Surroundings
from runner.evidence import folders, sealing, verifying
from runner.evidence.manifest import Kind
from runner.evidence.signing import Signer, Signers

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


@pytest.fixture
def archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Archive:
    """Three sealed folders."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "signers").write_text(f'understudy namespaces="understudy-evidence" {make_key(keys / "ours")}')
    made = Archive(tmp_path / "evidence", keys, capsys)
    for name in NAMES:
        made.write(name)
        assert made.seal(name)[0] == 0
    return made


def test_what_was_sealed_and_left_alone_is_as_it_was_sealed(archive: Archive) -> None:
    assert archive.verify() == (0, ["3 folders: all is as it was sealed."])
    assert archive.verify(str(archive.root / "failover-1")) == (0, ["1 folders: all is as it was sealed."])


def test_sealing_again_changes_nothing(archive: Archive) -> None:
    before = {path: path.read_bytes() for path in archive.root.rglob("*") if path.is_file()}
    code, said = archive.seal("failover-1")
    assert (code, "sealed already" in said) == (0, True)
    assert {path: path.read_bytes() for path in archive.root.rglob("*") if path.is_file()} == before


def flip(archive: Archive) -> None:
    file = archive.root / "failover-1/timeline.jsonl"
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    file.write_bytes(content)


def unsign(archive: Archive) -> None:
    (archive.root / "failover-1/manifest.json.sig").unlink()


def rewrite(archive: Archive) -> None:
    """Change a file and the manifest that vouches for it, as one without the key can."""
    file, manifest = archive.root / "failover-1/result.json", archive.root / "failover-1/manifest.json"
    before = folders.files(file.parent)["result.json"]
    file.write_text('{"rto_s": 1}')
    manifest.write_text(manifest.read_text().replace(before, folders.files(file.parent)["result.json"]))


def exchange(archive: Archive) -> None:
    (archive.root / "failover-1").rename(archive.root / "x")
    (archive.root / "proof-night").rename(archive.root / "failover-1")
    (archive.root / "x").rename(archive.root / "proof-night")


def sign_with_foreign_key(archive: Archive) -> None:
    make_key(archive.keys / "foreign")
    manifest = archive.root / "failover-1/manifest.json"
    unsign(archive)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(archive.keys / "foreign"), "-n", "understudy-evidence"]
    subprocess.run([*command, str(manifest)], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def another_signature(archive: Archive) -> None:
    shutil.copy(archive.root / "proof-night/manifest.json.sig", archive.root / "failover-1/manifest.json.sig")


DAMAGE: dict[str, tuple[Callable[[Archive], object], list[str]]] = {
    "a flipped bit": (flip, ["failover-1/timeline.jsonl was changed after it was sealed."]),
    "a removed file": (
        lambda archive: (archive.root / "failover-1/logs/patroni.txt").unlink(),
        ["failover-1/logs/patroni.txt is missing; it was sealed."],
    ),
    "an added file": (
        lambda archive: (archive.root / "failover-1/more.txt").write_text("x"),
        ["failover-1/more.txt was added after the folder was sealed."],
    ),
    "a link": (
        lambda archive: (archive.root / "failover-1/link").symlink_to("/etc/hostname"),
        ["failover-1/link is no file"],
    ),
    "a removed folder in the middle": (
        lambda archive: shutil.rmtree(archive.root / "failover-1"),
        ["failover-1 is missing or not sealed: proof-night was sealed after it."],
    ),
    "a removed first folder": (
        lambda archive: shutil.rmtree(archive.root / "drill-was-dies"),
        ["drill-was-dies is missing or not sealed: failover-1 was sealed after it."],
    ),
    "a removed last folder": (
        lambda archive: shutil.rmtree(archive.root / "proof-night"),
        ["proof-night is missing or not sealed: head.json says that it was the last."],
    ),
    "a removed head": (lambda archive: (archive.root / "head.json").unlink(), ["head.json is missing"]),
    "exchanged folders": (
        exchange,
        [
            "proof-night holds the manifest of failover-1: it was renamed or exchanged.",
            "failover-1 holds the manifest of proof-night: it was renamed or exchanged.",
        ],
    ),
    "a foreign key": (sign_with_foreign_key, ["failover-1/manifest.json.sig does not count: its key is not one of"]),
    "another folder's signature": (another_signature, ["failover-1/manifest.json.sig does not count: it does not"]),
    "no signature": (unsign, ["failover-1/manifest.json is not signed: manifest.json.sig is missing."]),
    "a rewritten manifest": (
        rewrite,
        [
            "failover-1/manifest.json.sig does not count: it does not belong to this content",
            "failover-1 is not the folder that proof-night was sealed after: it was replaced.",
        ],
    ),
    "half a manifest": (
        lambda archive: os.truncate(archive.root / "failover-1/manifest.json", 30),
        ["failover-1/manifest.json cannot be read", "failover-1 is missing or not sealed: proof-night"],
    ),
    "a folder that nobody sealed": (lambda archive: archive.write("drill-2"), ["drill-2 is not sealed"]),
    "a stranger": (lambda archive: (archive.root / "notes.txt").write_text("x"), ["notes.txt lies beside the folders"]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_every_way_to_touch_evidence_is_found_and_named(archive: Archive, name: str) -> None:
    damage, sentences = DAMAGE[name]
    damage(archive)
    code, said = archive.verify()
    assert code == 1
    *found, verdict = said
    assert len(found) == len(sentences), found
    for one, sentence in zip(found, sentences, strict=True):
        assert one.startswith(sentence)
    assert verdict.endswith(f"{len(sentences)} things are wrong.")


def test_one_folder_answers_for_itself_and_for_what_it_follows(archive: Archive) -> None:
    shutil.rmtree(archive.root / "failover-1")
    assert archive.verify(str(archive.root / "drill-was-dies"))[0] == 0
    code, said = archive.verify(str(archive.root / "proof-night"))
    assert code == 1
    assert said[0].startswith("failover-1 is missing")


def test_a_noted_manifest_is_missed_when_the_whole_end_was_cut_off(archive: Archive) -> None:
    noted = json.loads(archive.seal("proof-night", "--json")[1])["sha256"]
    assert archive.verify("--noted", noted)[0] == 0
    shutil.rmtree(archive.root / "proof-night")
    archive.seal("failover-1")  # which writes the head anew
    assert archive.verify()[0] == 0
    code, said = archive.verify("--noted", noted)
    assert code == 1
    assert noted in said[0]


def test_a_sealed_folder_that_was_changed_is_not_sealed_over(archive: Archive) -> None:
    flip(archive)
    before = (archive.root / "failover-1/manifest.json").read_bytes()
    code, said = archive.seal("failover-1")
    assert (code, "were changed since" in said) == (1, True)
    assert (archive.root / "failover-1/manifest.json").read_bytes() == before


def test_a_key_counts_while_it_was_valid_when_it_signed(archive: Archive) -> None:
    public = (archive.keys / "ours.pub").read_text()
    for until, code in (("20261231", 0), ("20261201", 1)):
        (archive.keys / "signers").write_text(
            f'understudy namespaces="understudy-evidence",valid-before="{until}Z" {public}'
        )
        assert archive.verify()[0] == code


def test_a_key_that_is_missing_or_asks_for_a_passphrase_leaves_nothing_half(archive: Archive) -> None:
    folder = archive.write("drill-2")
    locked = archive.keys / "locked"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", str(locked)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    before = sorted(folder.rglob("*"))
    for key, sentence in ((locked, "cannot sign"), (archive.keys / "none", "does not exist; make one with")):
        code, said = archive.seal("drill-2", "--key", str(key))
        assert (code, sentence in said) == (2, True)
        assert sorted(folder.rglob("*")) == before
    assert archive.seal("drill-2")[0] == 0


def test_what_cannot_be_sealed_is_refused_with_a_sentence(archive: Archive) -> None:
    (archive.root / "empty").mkdir()
    assert archive.seal("empty")[0] == 2
    assert archive.seal("nowhere")[0] == 2
    archive.write("drill-2").joinpath("link").symlink_to("/etc/hostname")
    code, said = archive.seal("drill-2")
    assert (code, "drill-2/link is no file" in said) == (1, True)


def test_without_a_setting_or_an_option_it_says_which_is_missing(archive: Archive) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evidence", "verify"], Surroundings({}, clock=lambda: NOW))
    assert ended.value.code == 2
    assert "UNDERSTUDY_EVIDENCE_DIR" in archive.capsys.readouterr().err


def test_the_list_shows_what_was_measured_in_the_order_of_sealing(archive: Archive) -> None:
    archive.write("aaa-not-yet")
    archive.now = NOW + timedelta(minutes=5)
    code, said = archive.run("list")
    assert code == 0
    lines = [line for line in said.splitlines() if "drill" in line or "failover-1" in line or "proof" in line]
    assert [name in line for name, line in zip(NAMES, lines, strict=False)] == [True] * 3
    assert "21.5" in lines[0]
    assert "not sealed" in said
    rows = json.loads(archive.run("list", "--json")[1])
    assert [row["folder"] for row in rows] == [*NAMES, "aaa-not-yet"]
    assert (rows[0]["rto_s"], rows[0]["rpo_bookings"], rows[0]["rpo_s"]) == (21.5, 3, None)


def test_many_that_seal_at_once_make_one_chain(archive: Archive) -> None:
    names = [f"drill-{number}" for number in range(4)]
    for name in names:
        archive.write(name)

    def seal(name: str) -> int:
        command = ["evidence", "seal", str(archive.root / name), "--kind", "drill"]
        done = subprocess.run(
            [sys.executable, "-m", "runner.cli", *command], env=os.environ | archive.environment(), check=False
        )
        return done.returncode

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(seal, names)) == [0] * len(names)
    assert archive.verify()[0] == 0
    rows = json.loads(archive.run("list", "--json")[1])
    assert [row["number"] for row in rows] == list(range(1, 8))


def dying(step: int, folder: Path, key: Path) -> None:
    """Seal a folder, and die by kill -9 before the step of this number; in a process of its own."""
    left = itertools.count(step, -1)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **more: Any) -> Any:
            if next(left) <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **more)

        return act

    for name in ("rename", "write_bytes", "chmod", "unlink"):
        setattr(Path, name, counted(getattr(Path, name)))
    os.fsync = counted(os.fsync)
    sealing.seal(folder, Kind.DRILL, Signer(key), NOW)


def test_killed_at_any_step_it_leaves_the_folder_sealed_or_not_and_the_next_one_finishes(archive: Archive) -> None:
    signers = Signers(archive.keys / "signers")
    killed = 0
    for step in range(60):
        archive.root = archive.keys.parent / f"step-{step}"
        first, folder = archive.write("drill-1"), archive.write("drill-2")
        sealing.seal(first, Kind.DRILL, Signer(archive.keys / "ours"), NOW)
        process = multiprocessing.get_context("fork").Process(target=dying, args=(step, folder, archive.keys / "ours"))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
        found = [each.sentence for each in verifying.verify(archive.root, [], signers)]
        assert [sentence for sentence in found if "drill-2 is not sealed" not in sentence] == [], f"at step {step}"
        sealing.seal(folder, Kind.DRILL, Signer(archive.keys / "ours"), NOW + timedelta(minutes=1))
        assert verifying.verify(archive.root, [], signers) == [], f"at step {step}"
        assert list(archive.root.rglob(".sealing.*")) == []
    assert 10 < killed < 60


@pytest.fixture
def busy(archive: Archive) -> Iterator[Archive]:
    """Somebody is sealing and does not come to an end."""
    with folders.locked(archive.root):
        yield archive


def test_who_seals_waits_for_who_is_sealing(busy: Archive) -> None:
    busy.write("drill-2")
    command = [sys.executable, "-m", "runner.cli", "evidence", "seal", str(busy.root / "drill-2"), "--kind", "drill"]
    with subprocess.Popen(command, env=os.environ | busy.environment(), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not waits_for_lock(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert waits_for_lock(process.pid)
        assert not (busy.root / "drill-2/manifest.json").exists()
        process.kill()


def waits_for_lock(pid: int) -> bool:
    """Tell whether a process waits for a lock (proc(5), locks: such a line has an arrow)."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f" {pid} " in line for line in lines)
