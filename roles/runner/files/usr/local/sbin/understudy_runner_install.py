#!/usr/bin/python3
"""Install a release of the runner beside the others, without touching the one that serves.

/srv/runner/releases/NAME holds venv/, project/, collections/ and release.json, which is written last: without it a
release is not whole and is made anew. /srv/runner/current names the release that was proven ready.
Prints one line of JSON. Only the standard library: it runs on the host's own Python.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path("/srv/runner")
STAMP = "release.json"
INVENTORIES = "project/inventories/"
ENCRYPTED = b"$ANSIBLE_VAULT;"
# What is imported here is compiled here, and a release that cannot be imported is refused. Everything that lies in the
# collections would take half a minute, and is never imported.
IMPORTED = (
    "runner.cli.main", "runner.cli.api", "runner.cli.asgi", "runner.cli.doctor.visit", "runner.cli.foreseeing",
    "runner.cli.serving", "runner.cli.web_process", "runner.cli.worker_process", "runner.execute.preload",
    "openstack.connection",
)  # fmt: skip
COMPILED = ("project/runner", "project/plugins", "venv/lib/{python}/site-packages/ansible")


class RefusedError(Exception):
    """Say what did not work and what to do next."""


def free_bytes(folder: Path) -> int:
    """Return how much room a folder's file system has for us."""
    return shutil.disk_usage(folder).free


class Releases:
    """The releases of a host. `free`: how much room there is."""

    def __init__(self, root: Path, free: Callable[[Path], int] = free_bytes) -> None:
        """Take the folder that holds `releases` and `current`."""
        self.folder, self.link, self._free = root / "releases", root / "current", free

    @property
    def current(self) -> str:
        """Return the name of the release that was proven ready last, or nothing."""
        return self.link.readlink().name if self.link.is_symlink() else ""

    def whole(self, name: str) -> bool:
        """Tell whether a release is there with all that belongs to it."""
        return (self.folder / name / STAMP).exists()

    def others(self, name: str) -> list[str]:
        """Return the releases that are neither this one nor the current one: halves first, then the oldest."""
        found = [each.name for each in self.folder.iterdir() if each.is_dir() and each.name not in {name, self.current}]
        return sorted(found, key=lambda each: (self.whole(each), self._made(each)))

    def _made(self, name: str) -> float:
        stamp = self.folder / name / STAMP
        return stamp.stat().st_mtime if stamp.exists() else 0.0

    def look(self, name: str) -> dict[str, Any]:
        """Say whether a release is here."""
        return {"changed": False, "release": name, "present": self.whole(name), "current": self.current}

    def room(self, name: str, wanted: int, *, check: bool) -> dict[str, Any]:
        """Remove others, as few as possible, until a release of this size fits. Raises RefusedError if none does."""
        gone: list[str] = []
        for other in self.others(name):
            if self._free(self.folder) >= wanted and self.whole(other):
                break
            gone.append(other)
            if not check:
                shutil.rmtree(self.folder / other)
        left = self._free(self.folder)
        if left < wanted and not check:
            raise RefusedError(
                f"{self.folder} has {left // 2**20} MB left and release {name} needs {wanted // 2**20}. "
                "Make room on the host, or give it a larger disk."
            )
        return {"changed": bool(gone), "release": name, "removed": gone, "said": f"{left // 2**20} MB are left"}

    def install(self, chosen: argparse.Namespace) -> dict[str, Any]:
        """Make the release unless it is whole; raises RefusedError and leaves nothing half."""
        name, target = chosen.release, self.folder / chosen.release
        if self.whole(name):
            return {"changed": False, "release": name, "said": f"{name} is here already"}
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        try:
            unpack(chosen.archive, target, dict(each.split("=", 1) for each in chosen.link))
            chosen.archive.unlink()  # its room is wanted
            make_environment(target)
            compile_imported(target)
        except (RefusedError, OSError) as cause:
            shutil.rmtree(target, ignore_errors=True)
            raise RefusedError(f"{name} was not installed: {cause}") from cause
        stamp = target / f"{STAMP}.new"
        stamp.write_text(json.dumps({"release": name, "python": sys.version.split()[0]}) + "\n")
        stamp.replace(target / STAMP)
        return {"changed": True, "release": name, "said": f"{name} was installed"}

    def activate(self, name: str, keep: int, *, check: bool) -> dict[str, Any]:
        """Say that a release serves, and remove old ones but the `keep` newest. The link is switched in one step."""
        if not self.whole(name) and not check:
            raise RefusedError(f"Release {name} is not whole on this host. Run the role again.")
        switched = self.current != name
        before = self.current
        if switched and not check:
            fresh = self.link.with_name(".current.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.folder / name)
            fresh.replace(self.link)
        # The one that served goes last: what it began may still read its files.
        old = sorted(self.others(name), key=lambda each: (each == before, self.whole(each), self._made(each)))
        gone = old[: max(0, len(old) - keep)]
        for each in gone if not check else ():
            shutil.rmtree(self.folder / each)
        return {"changed": switched or bool(gone), "release": name, "removed": gone, "said": f"{name} serves"}


def unpack(archive: Path, target: Path, links: dict[str, str]) -> None:
    """Unpack what the archive holds, with links to the host's own files in place of those that are named.

    Encrypted files of the inventory stay out: the host has what it needs under a password of its own.
    """
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(target, members=_wanted(opened, links), filter="data")
    except tarfile.TarError as cause:
        why = " ".join(str(cause).split())
        raise RefusedError(f"{archive} cannot be unpacked ({why}). Build and bring it again.") from cause
    for name, points_at in links.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(points_at)


def _wanted(opened: tarfile.TarFile, links: dict[str, str]) -> Iterator[tarfile.TarInfo]:
    for member in opened:
        name = member.name.removeprefix("./")
        if name in links:
            continue
        content = opened.extractfile(member) if name.startswith(INVENTORIES) else None
        if content is None or content.read(len(ENCRYPTED)) != ENCRYPTED:
            yield member


def make_environment(target: Path) -> None:
    """Make the virtual environment of the bundled wheels; no registry is asked."""
    wheels, environment = target / "wheels", target / "venv"
    uv = [str(_uv(wheels, target / "uv")), "--quiet", "--offline", "--no-config", "--cache-dir", str(target / "cache")]
    run([*uv, "venv", "--no-python-downloads", "--python", sys.executable, str(environment)])
    wanted = target / "requirements.txt"
    lines = wanted.read_text().splitlines(keepends=True)
    wanted.write_text("".join(line for line in lines if not line.startswith("uv==")))  # 38 MB that only install
    run([
        *uv, "pip", "install", "--python", str(environment / "bin/python"), "--no-index", "--find-links", str(wheels),
        "--require-hashes", "--requirement", str(wanted),
    ])  # fmt: skip
    for each in (wheels, target / "cache"):
        shutil.rmtree(each)
    (target / "uv").unlink()
    packages = next((environment / "lib").glob("python3*")) / "site-packages"
    (packages / "understudy.pth").write_text(f"{target / 'project'}\n")
    (target / "collections/understudy").mkdir()
    (target / "collections/understudy/hybrid").symlink_to("../../project")
    (packages / "ansible_collections").symlink_to(target / "collections")


def _uv(wheels: Path, place: Path) -> Path:
    """Take the installer out of its wheel, which is among the others."""
    found = next(wheels.glob("uv-*.whl"), None)
    if found is None:
        raise RefusedError(f"there is no wheel of uv in {wheels}. Build the archive again with runner/build.sh.")
    with zipfile.ZipFile(found) as wheel:
        name = next(each for each in wheel.namelist() if each.endswith(".data/scripts/uv"))
        place.write_bytes(wheel.read(name))
    place.chmod(0o755)
    return place


def compile_imported(target: Path) -> None:
    """Compile what the runner imports, by importing it: its account may not write here."""
    python = str(target / "venv/bin/python")
    version = next((target / "venv/lib").glob("python3*")).name
    run([python, "-m", "compileall", "-q", *(str(target / each.format(python=version)) for each in COMPILED)])
    run([python, "-P", "-c", f"import {', '.join(IMPORTED)}"])


def run(command: list[str]) -> None:
    """Run a command in an environment of its own; raises RefusedError with its last words."""
    around = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    done = subprocess.run(
        command, env=around, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RefusedError(f"'{shlex.join(command)[:300]}' failed: {' '.join(done.stdout.splitlines()[-12:])}")


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="understudy-runner-install", description="Install a release of the runner.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, about in (
        ("look", "say whether a release is here"),
        ("room", "remove old releases, as few as needed, until one more fits"),
        ("install", "make a release from its archive, which is removed"),
        ("activate", "name the release that serves, and remove old ones"),
    ):
        each = verbs.add_parser(verb, help=about)
        each.add_argument("release")
        each.add_argument("--check", action="store_true", help="only say what would be done")
        if verb == "room":
            each.add_argument("--bytes", type=int, required=True)
        if verb == "activate":
            each.add_argument("--keep", type=int, default=1)
        if verb == "install":
            each.add_argument("--archive", type=Path, required=True)
            each.add_argument("--link", action="append", default=[], metavar="PATH=TARGET")
    return parser


def act(releases: Releases, chosen: argparse.Namespace) -> dict[str, Any]:
    """Do what was asked."""
    if chosen.verb == "look":
        return releases.look(chosen.release)
    if chosen.verb == "room":
        return releases.room(chosen.release, chosen.bytes, check=chosen.check)
    if chosen.verb == "activate":
        return releases.activate(chosen.release, chosen.keep, check=chosen.check)
    return releases.install(chosen)


def main() -> int:
    """Do it under a lock, and say what came of it on one line."""
    os.umask(0o022)
    chosen = options().parse_args()
    try:
        with Path("/run/lock/understudy-runner.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said, code = act(Releases(ROOT), chosen), 0
    except RefusedError as refusal:
        said, code = {"changed": False, "said": str(refusal)}, 1
    sys.stdout.write(json.dumps(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
