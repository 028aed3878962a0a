#!/usr/bin/python3
"""Install a release of the application beside the others, without touching what serves.

/srv/was/releases/NAME holds venv/ (Python) or application/ (a WAR, unpacked), the program prepare where the release
has one, and release.json, which is written last: without it a release is not whole and is made anew.
Prints one line of JSON. Only the standard library: it runs on the host's own Python.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

RELEASES = Path("/srv/was/releases")


class RefusedError(Exception):
    """Say what did not work and what to do next."""


def name_of(war: Path) -> str:
    """Name a release after the content of its WAR: a file, or a folder as Debian's packages have them."""
    total = hashlib.sha256()
    for path in sorted(war.rglob("*")) if war.is_dir() else [war]:
        if path.is_file():
            total.update(f"{path.relative_to(war.parent)}\0".encode() + path.read_bytes() + b"\0")
    return f"{war.stem}-{total.hexdigest()[:12]}"


def install(releases: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Make the release unless it is whole; raises RefusedError and leaves nothing half."""
    if chosen.war and not chosen.war.exists():
        raise RefusedError(
            f"There is no {chosen.war} on this host. Install the package that brings it, or correct the path."
        )
    name = chosen.release or name_of(chosen.war)
    target = releases / name
    if (target / "release.json").exists():
        return {"changed": False, "release": name, "said": f"{name} is here already"}
    if chosen.check:
        return {"changed": True, "release": name, "said": f"{name} would be installed"}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        fill(target, chosen)
    except RefusedError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    stamp = target / "release.new"
    stamp.write_text(json.dumps({"requirements": chosen.requirement, "war": str(chosen.war or "")}) + "\n")
    stamp.replace(target / "release.json")
    if chosen.wheels:
        chosen.wheels.unlink(missing_ok=True)
    return {"changed": True, "release": name, "said": f"{name} was installed"}


def fill(target: Path, chosen: argparse.Namespace) -> None:
    """Put the application into its folder."""
    if chosen.war:
        unpack(chosen.war, target / "application")
    else:
        make_environment(target / "venv", chosen.requirement, chosen.wheels)
    if chosen.prepare:
        path, command = shlex.quote(str(target / "venv/bin")), shlex.join(shlex.split(chosen.prepare))
        (target / "prepare").write_text(f"#!/bin/sh\nexport PATH={path}:$PATH\nexec {command}\n")
        (target / "prepare").chmod(0o755)


def unpack(war: Path, target: Path) -> None:
    """Unpack a WAR, or copy an unpacked one."""
    if war.is_dir():
        shutil.copytree(war, target)
        return
    try:
        shutil.unpack_archive(war, target, "zip")
    except shutil.ReadError as cause:
        raise RefusedError(f"{war} is not a WAR: {cause}. Build it again.") from cause


def make_environment(target: Path, requirements: list[str], wheels: Path | None) -> None:
    """Make a virtual environment, from an archive of wheels alone or from the registry that the host's pip knows."""
    run([sys.executable, "-m", "venv", str(target)])
    pip = [str(target / "bin/pip"), "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    if wheels is None:
        run([*pip, *requirements])
    else:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            flatten(wheels, Path(folder))
            run([*pip, "--isolated", "--no-index", "--find-links", folder, *requirements])
    if not (target / "bin/gunicorn").exists():
        raise RefusedError(f"{' '.join(requirements)} bring no gunicorn, which serves them. Add it to them.")


def flatten(wheels: Path, folder: Path) -> None:
    """Take the wheels out of an archive, wherever in it they lie."""
    with tarfile.open(wheels) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member) if member.name.endswith(".whl") else None
            if content is not None:
                (folder / Path(member.name).name).write_bytes(content.read())


def run(command: list[str]) -> None:
    """Run a command; raises RefusedError with its last words."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"'{shlex.join(command)}' failed: {' '.join(done.stdout.splitlines()[-12:])}")


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="understudy-was-install", description="Install a release beside the others.")
    parser.add_argument("--release", default="", help="its name; that of a WAR may be left to its content")
    parser.add_argument("--requirement", action="append", default=[], help="as pip takes it; repeat for more")
    parser.add_argument(
        "--wheels", type=Path, help="tar archive of wheels: no registry is asked; removed when installed"
    )
    parser.add_argument("--war", type=Path, help="a WAR, or a folder that is an unpacked one")
    parser.add_argument("--prepare", default="", help="command of the release that has to succeed before it serves")
    parser.add_argument("--check", action="store_true", help="only say what would be done")
    return parser


def main() -> int:
    """Install it and say what came of it, on one line."""
    os.umask(0o022)
    try:
        with Path("/run/lock/understudy-was.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said, code = install(RELEASES, options().parse_args()), 0
    except RefusedError as refusal:
        said, code = {"changed": False, "said": str(refusal)}, 1
    sys.stdout.write(json.dumps(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
