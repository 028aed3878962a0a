"""Where the cloud keeps its state, and what carries its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lab.paths import Paths

# Of the public APIs, in the order of the catalogue; object storage fails on its own.
API_PORTS = {"identity": 5000, "compute": 8774, "placement": 8778, "image": 9292, "network": 9696}
OBJECT_STORAGE_PORT = 8080


@dataclass(frozen=True)
class Layout:
    """Name every directory and file of the cloud once."""

    paths: Paths = field(default_factory=Paths)
    namespace: str = "us-cloud"

    @property
    def home(self) -> Path:
        """Return the directory of the cloud's state, which goes with it."""
        return self.paths.state / "openstack"

    @property
    def etc(self) -> Path:
        """Return the directory of the services' configuration."""
        return self.home / "etc"

    @property
    def logs(self) -> Path:
        """Return the directory of the services' logs."""
        return self.paths.logs / "openstack"

    @property
    def database(self) -> Path:
        """Return the data directory of MariaDB."""
        return self.home / "mysql"

    @property
    def secrets(self) -> Path:
        """Return the file of the passwords that were made for this lab."""
        return self.home / "secrets.json"

    @property
    def supervisor_socket(self) -> Path:
        """Return the socket on which the supervisor answers."""
        return self.home / "supervisor.sock"

    @property
    def authority(self) -> Path:
        """Return the directory of the lab's own certificate authority."""
        return self.paths.state / "ca"

    @property
    def certificate(self) -> Path:
        """Return the public endpoints' certificate, chain and key in one file, as HAProxy wants it."""
        return self.home / "tls" / "api.pem"

    @property
    def domains(self) -> Path:
        """Return the directory of the guests' definitions, kept by libvirt."""
        return self.home / "libvirt" / "etc" / "lxc"

    @property
    def network_namespace(self) -> Path:
        """Return the handle of the namespace that holds the cloud's network."""
        return Path("/run/netns") / self.namespace

    @property
    def cgroup(self) -> str:
        """Return the name of the cgroup that holds the cloud's processes and guests, in every hierarchy."""
        return f"understudy-{self.namespace}"
