"""Build the image that the cloud's servers boot, once, and keep it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import images
from lab.cloud_processes import confined
from lab.commands import run

if TYPE_CHECKING:
    from lab.cloud_layout import Layout
    from lab.machine import Machine

SIZE_MIB = 1024

_FILE_SYSTEM = ("mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-E", "root_owner=0:0")

_HOST_RECIPE = Path(images.__file__).parent / "host_image"
_GUEST_RECIPE = Path(__file__).parent / "roles" / "openstack" / "files" / "guest"
_VERSIONS = {"trixie": "13", "bookworm": "12"}
# cloud-init would ask for an address itself, before systemd-networkd does, and wait for ARP probes meanwhile.
_DHCP_CLIENTS = ("/usr/sbin/dhcpcd", "/sbin/dhclient", "/usr/sbin/dhclient")
_BUILD_SECONDS = 900


@dataclass(frozen=True)
class GuestImage:
    """Hold what decides how the image turns out; it stands on the hosts' recipe."""

    host: images.Build

    @property
    def name(self) -> str:
        """Return the image's name in the cloud."""
        return f"debian-{_VERSIONS[self.host.release]}"

    @property
    def key(self) -> str:
        """Return a digest of both recipes and of what the machine adds to them, wherever the checkout lies."""
        made_with = [self.host.key, *_bootstrap_command(self.host, Path("root"), Path("sources")), *_FILE_SYSTEM]
        text = "\0".join(made_with).replace(str(Path(__file__).parent), "lab")
        digest = hashlib.sha256(text.encode())
        for path in sorted(_GUEST_RECIPE.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(_GUEST_RECIPE)}\0{path.read_text()}\0".encode())
        return digest.hexdigest()[:20]

    def path(self, layout: Layout) -> Path:
        """Return where the finished image is kept."""
        return layout.paths.cache / "guest" / f"{self.name}-{self.key}.qcow2"


def plan(machine: Machine, release: str) -> GuestImage:
    """Return the image of a Debian release.

    Raises LabError for an unknown release, or when the machine has no Debian mirror among its sources.
    """
    return GuestImage(images.plan(machine, release))


def ensure(machine: Machine, layout: Layout, release: str) -> bool:
    """Build the image if the stored one is missing or out of date; return whether it was built.

    An interruption leaves at most files below the cache, which the next build removes; older images go as well.
    """
    image = plan(machine, release)
    finished = image.path(layout)
    if finished.exists():
        return False
    work = finished.parent / f"build-{release}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    root = work / "root"
    sources = work / "debian.sources"
    sources.write_text(image.host.sources)
    run(
        confined(_bootstrap_command(image.host, root, sources)),
        timeout_seconds=_BUILD_SECONDS,
        environment={"TMPDIR": str(work)},
    )
    raw, converted = work / "image.raw", work / "image.qcow2"
    run([*_FILE_SYSTEM, "-d", str(root), str(raw), f"{SIZE_MIB}M"], timeout_seconds=_BUILD_SECONDS)
    # Nova unpacks qcow2 to a sparse file: only what is in use travels, is hashed and is copied for every server.
    run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(converted)], timeout_seconds=_BUILD_SECONDS)
    converted.replace(finished)
    shutil.rmtree(work)
    for old in finished.parent.glob(f"{image.name}-*.qcow2"):
        if old != finished:
            old.unlink()
    return True


def _bootstrap_command(build: images.Build, root: Path, sources: Path) -> list[str]:
    recipes = (_HOST_RECIPE, _GUEST_RECIPE)
    packages = [word for recipe in recipes for word in (recipe / "packages.txt").read_text().split()]
    arguments = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", "--format=directory"]
    arguments += [f"--aptopt={setting}" for setting in ('APT::Install-Recommends "false";', *build.apt_settings)]
    arguments += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
    arguments += [f"--dpkgopt=path-exclude={each}" for each in _DHCP_CLIENTS]
    if build.authorities:
        arguments.append(f"--customize-hook=sync-in {build.authorities} /usr/local/share/ca-certificates")
    for recipe in recipes:
        arguments.append(f"--customize-hook=sync-in {recipe / 'files'} /")
        arguments.append(f"--customize-hook={recipe / 'customize'}")
    return [*arguments, build.release, str(root), str(sources)]
