"""What customers see of an edge's certificate, by the very words that look at it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab import building, faults, topology
from lab.drills import certificate, reach
from lab.errors import LabError
from lab.paths import Paths

LAB = faults.Lab(topology.load(), Paths())
EDGE = "colo-gw1"


def seen(monkeypatch: pytest.MonkeyPatch, *sights: str) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []
    left = list(sights)

    def on(_: faults.Lab, host: str, *words: str) -> str:
        asked.append((host, *words))
        return f"{left.pop(0) if len(left) > 1 else left[0]}\n"

    monkeypatch.setattr(reach, "on", on)
    return asked


def test_customers_look_until_they_see_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = seen(monkeypatch, certificate.EXPIRED, certificate.EXPIRED, certificate.GOOD)
    assert certificate.wait(LAB, EDGE, certificate.GOOD, lambda _: None) == ""
    assert [words[0] for words in asked] == ["crowd1"] * 3


def test_what_they_go_on_seeing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, certificate.EXPIRED)
    monkeypatch.setattr(certificate, "_SECONDS", 0)
    told = certificate.wait(LAB, EDGE, certificate.GOOD, lambda _: None)
    assert told == "Customers should see the certificate of colo-gw1 good, and after 0 s see: expired."


def test_a_certificate_that_did_not_expire_ends_the_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "play", lambda *_, **__: 4)
    with pytest.raises(LabError, match="colo-gw1 could not be made to expire"):
        certificate.expire(LAB, EDGE, tmp_path / "playbooks.log")


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("kept", "later", "ends"),
    [(False, "0", "there"), (True, "0", "there"), (True, "200000", "kept")],
    ids=["nothing was broken", "renewed meanwhile", "still expired"],
)
def test_the_good_one_comes_back_unless_it_was_renewed(
    *, kept: bool, later: str, ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "1",
            "-keyout", "key", "-out", "edge.pem")  # fmt: skip
    there = (tmp_path / "edge.pem").read_text()
    if kept:
        (tmp_path / "edge.pem.before-drill").write_text("kept")

    def on(_: faults.Lab, host: str, *words: str) -> str:
        command = words[-1].replace("/etc/understudy/tls", str(tmp_path)).replace("systemctl", "true")
        command = command.replace("-checkend 0", f"-checkend {later}")  # seconds after which it must be good
        return subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout

    monkeypatch.setattr(reach, "on", on)
    certificate.mend(LAB)
    certificate.mend(LAB)
    assert (tmp_path / "edge.pem").read_text() == (there if ends == "there" else "kept")
    assert not (tmp_path / "edge.pem.before-drill").exists()
