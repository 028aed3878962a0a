"""Build the root file system of the lab's hosts once, and keep it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import apt_sources, mounts, podman
from lab.cloud_processes import confined
from lab.commands import attempt, run
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.machine import Machine
    from lab.paths import Paths

RELEASES = ("trixie", "bookworm")

_RECIPE = Path(__file__).parent / "host_image"
_KEY_LABEL = "understudy.recipe"
_BUILD_SECONDS = 900
# Settings of the machine's apt that its mirror may depend on; everything else of apt.conf stays outside.
_APT_SETTINGS = (
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
)


@dataclass(frozen=True)
class Build:
    """Hold everything that decides what the image becomes."""

    release: str
    sources: str
    apt_settings: tuple[str, ...]
    authorities: Path | None

    @property
    def name(self) -> str:
        """Return the image's name in the lab's storage."""
        return name(self.release)

    @property
    def key(self) -> str:
        """Return a digest of the recipe and of what the machine adds to it."""
        digest = hashlib.sha256()
        parts = [self.release, self.sources, *self.apt_settings]
        files = [path for path in sorted(_RECIPE.rglob("*")) if path.is_file()]
        files += sorted(self.authorities.glob("*.crt")) if self.authorities else []
        for part in (*parts, *(f"{path.name}\0{path.read_text()}" for path in files)):
            digest.update(part.encode() + b"\0")
        return digest.hexdigest()[:20]


def name(release: str) -> str:
    """Return the name of the host image of a Debian release."""
    return f"localhost/understudy-host:{release}"


def plan(machine: Machine, release: str) -> Build:
    """Read the machine's apt configuration and return the build that follows from it.

    Raises LabError for an unknown release, or when the machine has no Debian mirror among its sources.
    """
    if release not in RELEASES:
        raise LabError(f"LAB_RELEASE is {release!r}; the lab's hosts run one of: {', '.join(RELEASES)}.")
    apt = Path("/etc/apt")
    files = [
        apt / "sources.list",
        *sorted((apt / "sources.list.d").glob("*.list")),
        *sorted((apt / "sources.list.d").glob("*.sources")),
    ]
    sources = apt_sources.for_release(
        {str(path): path.read_text() for path in files if path.is_file()},
        machine_codename=machine.codename,
        codename=release,
    )
    authorities = Path("/usr/local/share/ca-certificates")
    needs_authorities = apt_sources.uses_https(sources) and any(authorities.glob("*.crt"))
    dump = run(["apt-config", "dump"]).splitlines()
    settings = tuple(line for line in dump if line.split(" ", 1)[0] in _APT_SETTINGS)
    return Build(release, sources, settings, authorities if needs_authorities else None)


def is_current(build: Build, paths: Paths) -> bool:
    """Tell whether the stored image was made by exactly this build."""
    label = '{{ index .Labels "' + _KEY_LABEL + '" }}'
    result = attempt(
        ["podman", "image", "inspect", "--format", label, build.name],
        environment=podman.environment(paths),
    )
    return result.returncode == 0 and result.stdout.decode().strip() == build.key


def ensure(machine: Machine, paths: Paths, release: str) -> bool:
    """Build the host image if the stored one is missing or out of date; return whether it was built.

    An interruption leaves at most files below the cache's build directory, which the next build removes.
    """
    podman.configure(machine, paths)
    build = plan(machine, release)
    if is_current(build, paths):
        return False
    archive = paths.cache / "build" / f"host-{build.release}-{build.key}.tar"
    if not archive.exists():
        _bootstrap(build, archive)
    podman.podman(
        paths,
        "import",
        "--change",
        'CMD ["/lib/systemd/systemd"]',
        "--change",
        "STOPSIGNAL SIGRTMIN+3",
        "--change",
        f"LABEL {_KEY_LABEL}={build.key}",
        str(archive),
        build.name,
        timeout_seconds=_BUILD_SECONDS,
    )
    mounts.remove(archive.parent)
    podman.podman(paths, "image", "prune", "--force")
    return True


def _bootstrap(build: Build, archive: Path) -> None:
    work = archive.parent
    mounts.remove(work)
    work.mkdir(parents=True)
    sources = work / "debian.sources"
    sources.write_text(build.sources)
    unfinished = archive.with_suffix(".unfinished.tar")
    packages = ",".join((_RECIPE / "packages.txt").read_text().split())
    arguments = ["mmdebstrap", "--variant=minbase", f"--include={packages}", "--format=tar"]
    arguments += [f"--aptopt={setting}" for setting in ('APT::Install-Recommends "false";', *build.apt_settings)]
    arguments += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
    if build.authorities:
        arguments.append(f"--customize-hook=sync-in {build.authorities} /usr/local/share/ca-certificates")
    arguments += [
        f"--customize-hook=sync-in {_RECIPE / 'files'} /",
        f"--customize-hook={_RECIPE / 'customize'}",
    ]
    # Its temporary root stays below the cache, where the next build finds what an interruption leaves.
    run(
        confined([*arguments, build.release, str(unfinished), str(sources)]),
        timeout_seconds=_BUILD_SECONDS,
        environment={"TMPDIR": str(work)},
    )
    unfinished.replace(archive)
