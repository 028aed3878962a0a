"""Install Swift into an environment of its own, once per lock file, and make its rings."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.commands import run

if TYPE_CHECKING:
    from lab.cloud_layout import Layout

LOCK = Path(__file__).parent.parent / "requirements" / "swift.lock"

_PORTS = {"account": 6202, "container": 6201, "object": 6200}
_PYTHON = "/usr/bin/python3"
_INSTALL_SECONDS = 600
# One device and one copy: the ring never changes, so it is made once.
_MAKE_RINGS = """
import sys
from swift.common.ring import RingBuilder
for name, port in zip(sys.argv[2::2], sys.argv[3::2]):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1.0,
                     "replication_ip": "127.0.0.1", "replication_port": int(port), "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{name}.ring.gz")
"""


def environment(layout: Layout) -> Path:
    """Return the directory of Swift's virtual environment."""
    digest = hashlib.sha256(LOCK.read_bytes() + _MAKE_RINGS.encode()).hexdigest()[:20]
    return layout.paths.cache / "swift" / digest


def rings(layout: Layout) -> list[Path]:
    """Return the ring files."""
    return [environment(layout) / "rings" / f"{name}.ring.gz" for name in _PORTS]


def is_built(layout: Layout) -> bool:
    """Tell whether the stored environment is complete and of the current lock file."""
    return (environment(layout) / "complete").exists()


def ensure(layout: Layout) -> bool:
    """Install Swift if the stored one is missing or out of date; return whether it was installed.

    Its last file tells that it is complete: what an interruption leaves is removed and made again.
    """
    place = environment(layout)
    if is_built(layout):
        return False
    shutil.rmtree(place.parent, ignore_errors=True)
    uv = Path(sys.executable).parent / "uv"
    installer = str(uv) if uv.exists() else "uv"
    run(
        [installer, "venv", "--quiet", "--no-project", "--python", _PYTHON, str(place)],
        timeout_seconds=_INSTALL_SECONDS,
    )
    run(
        [installer, "pip", "sync", "--quiet", "--require-hashes", "--python", str(place / "bin" / "python"), str(LOCK)],
        timeout_seconds=_INSTALL_SECONDS,
    )
    run([str(place / "bin" / "python"), "-m", "compileall", "-q", str(place / "lib")], timeout_seconds=_INSTALL_SECONDS)
    (place / "rings").mkdir()
    pairs = [word for name, port in _PORTS.items() for word in (name, str(port))]
    run([str(place / "bin" / "python"), "-c", _MAKE_RINGS, str(place / "rings"), *pairs])
    (place / "complete").touch()
    return True
