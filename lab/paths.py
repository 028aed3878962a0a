"""Where the lab keeps what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Name every directory and file of the lab once.

    `state` goes with lab-down, `cache` stays, `runtime` does not survive a reboot.
    """

    state: Path = Path("/var/lib/understudy/lab")
    cache: Path = Path("/var/cache/understudy/lab")
    runtime: Path = Path("/run/understudy/lab")

    @property
    def operator(self) -> Path:
        """Return the directory of the operator's key, known_hosts and clouds.yaml."""
        return self.state / "operator"

    @property
    def operator_key(self) -> Path:
        """Return the operator's private key."""
        return self.operator / "id_ed25519"

    @property
    def runner_key(self) -> Path:
        """Return the private key of the sites' runners, which the operator hands to them."""
        return self.operator / "runner_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Return the host keys that the operator trusts."""
        return self.operator / "known_hosts"

    @property
    def logs(self) -> Path:
        """Return the directory of the log files."""
        return self.state / "log"

    @property
    def host_keys(self) -> Path:
        """Return the directory of the hosts' own SSH keys."""
        return self.state / "host_keys"

    @property
    def containers_conf(self) -> Path:
        """Return podman's configuration."""
        return self.state / "containers.conf"

    @property
    def storage_conf(self) -> Path:
        """Return podman's storage configuration."""
        return self.state / "storage.conf"

    @property
    def graph_root(self) -> Path:
        """Return where podman keeps images and layers."""
        return self.cache / "containers"

    @property
    def run_root(self) -> Path:
        """Return where podman keeps what it needs while it runs."""
        return self.runtime / "containers"
