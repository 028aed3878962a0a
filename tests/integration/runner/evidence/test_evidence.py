"""Evidence that was touched after it was sealed is found, with folder and file; signatures are ssh-keygen's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest

from runner.cli.main import main
from runner.cli.session import Surroundings
from runner.evidence import folders
from tests.integration.runner.evidence.archive import NAMES, NOW, Archive, make_key


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
