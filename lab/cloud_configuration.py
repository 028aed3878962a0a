"""Write the configuration of the cloud's services, and make its passwords once."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from lab import cloud_authority, cloud_database, cloud_gate, cloud_swift
from lab.cloud_files import is_same, replace_text
from lab.cloud_layout import API_PORTS, OBJECT_STORAGE_PORT

if TYPE_CHECKING:
    from lab.cloud_layout import Layout
    from lab.cloud_settings import Settings

TEMPLATES = Path(__file__).parent / "roles" / "openstack" / "templates"

_MANAGED = "# Written by the lab's role openstack: changes here are lost."
_DIRECTORIES = (
    "libvirt/etc/lxc",
    "libvirt/lib",
    "libvirt/log",
    "libvirt/cache",
    "tmp",
    "glance/images",
    "glance/staging",
    "glance/tasks",
    "nova/instances",
    "swift/d1",
)


_GATE = Path("bin/cloud_gate.py")


@dataclass(frozen=True)
class Secrets:
    """Hold the passwords and keys of one cloud."""

    admin: str
    operator: str
    service: str
    messages: str
    metadata: str
    swift_hash: str
    token_key: str
    credential_key: str


def secrets_of(layout: Layout) -> Secrets:
    """Return the cloud's secrets, made on the first call and kept in a file that only root can read."""
    if not layout.secrets.exists():
        made = {each.name: secrets.token_hex(16) for each in fields(Secrets)}
        for name in ("token_key", "credential_key"):
            made[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        replace_text(layout.secrets, json.dumps(made, indent=1) + "\n", 0o600)
    return Secrets(**json.loads(layout.secrets.read_text()))


def render(layout: Layout, settings: Settings, kept: Secrets) -> dict[Path, str]:
    """Return every configuration file's text by its path (pure but for reading the templates)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  configuration, not HTML
    )
    context = {
        **{each.name: getattr(settings, each.name) for each in fields(settings)},
        "managed": _MANAGED,
        "home": layout.home,
        "etc": layout.etc,
        "logs": layout.logs,
        "certificate": layout.certificate,
        "supervisor_socket": layout.supervisor_socket,
        "ports": {**API_PORTS, "object-store": OBJECT_STORAGE_PORT},
        "secrets": asdict(kept),
        "gate": f"/usr/bin/python3 -I {layout.etc / _GATE}",
        "swift_bin": cloud_swift.environment(layout) / "bin",
        "mariadb_options": cloud_database.server_options(layout.database, Path("/run/mysqld/mysqld.sock")),
    }
    files = {
        layout.etc / name.removesuffix(".j2"): environment.get_template(name).render(context)
        for name in environment.list_templates(extensions=["j2"])
        if not Path(name).name.startswith("_")
    }
    # A copy: the checkout may lie where the cloud's own mounts hide it, such as below /tmp, or be moved.
    files[layout.etc / _GATE] = Path(cloud_gate.__file__).read_text()
    for place, value in (("fernet-keys", kept.token_key), ("credential-keys", kept.credential_key)):
        # Keystone wants the key for the next rotation (0) beside the one it signs with.
        files |= {layout.home / "keystone" / place / number: value for number in ("0", "1")}
    return files


def differs(layout: Layout, settings: Settings) -> bool:
    """Tell whether `write` would change anything, without changing it."""
    if not layout.secrets.exists() or not layout.certificate.exists():
        return True
    files = render(layout, settings, secrets_of(layout))
    return not all(is_same(path, text, _mode(path)) for path, text in files.items())


def write(layout: Layout, settings: Settings) -> bool:
    """Write every file that the services start from, certificates included; return whether any of them changed.

    Services that run keep the configuration they started with.
    """
    for directory in (layout.home, layout.logs):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _DIRECTORIES:
        (layout.home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    addresses = [settings.public_address, settings.management_address]
    changed = [cloud_authority.ensure(layout, settings.api_names, addresses)]
    files = render(layout, settings, secrets_of(layout))
    changed += [replace_text(path, text, _mode(path)) for path, text in files.items()]
    for ring in cloud_swift.rings(layout):
        shutil.copy(ring, layout.etc / "swift")
    return any(changed)


def _mode(path: Path) -> int:
    return 0o700 if path.parent.name == "bin" else 0o600
