"""Sign files and check signatures with ssh-keygen -Y (PROTOCOL.sshsig), as OpenSSH ships it."""

from __future__ import annotations

import dataclasses
import subprocess
from datetime import UTC
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from runner.errors import SettingsError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

NAMESPACE = "understudy-evidence"
_SECONDS = 30


@dataclasses.dataclass(frozen=True, slots=True)
class Signer:
    """The private key that signs, without a passphrase: nobody is there to type one."""

    key: Path

    def sign(self, file: Path) -> Path:
        """Sign a file; the signature lies beside it, named `.sig`. Raises SettingsError when the key cannot sign."""
        if not self.key.is_file():
            raise SettingsError(
                f"The key {self.key} does not exist; make one with "
                f"`ssh-keygen -t ed25519 -N '' -C understudy-evidence -f {self.key}`."
            )
        done = _run("sign", "-f", str(self.key), "-n", NAMESPACE, str(file))
        signature = file.with_name(f"{file.name}.sig")
        if done.returncode or not signature.is_file():
            raise SettingsError(f"The key {self.key} cannot sign: {_said(done)}")
        return signature


@dataclasses.dataclass(frozen=True, slots=True)
class Signers:
    """The file that says whose signatures count (ssh-keygen(1), ALLOWED SIGNERS)."""

    file: Path

    def refusal(self, content: bytes, signature: bytes, at: datetime) -> str:
        """Say why a signature does not count, or nothing when it does; its key had to be valid at the moment `at`."""
        if not self.file.is_file():
            raise SettingsError(
                f"The file of allowed signers {self.file} does not exist; write one line into it: "
                f'understudy namespaces="{NAMESPACE}" and the public key.'
            )
        with NamedTemporaryFile(prefix="understudy-", suffix=".sig") as file:
            file.write(signature)
            file.flush()
            how = ("-O", f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}Z", "-s", file.name, "-f", str(self.file))
            found = _run("find-principals", *how)
            names = found.stdout.split()
            if found.returncode or not names:
                return f"its key is not one of {self.file}"
            done = _run("verify", "-I", names[0], "-n", NAMESPACE, *how, content=content)
        return "" if done.returncode == 0 else f"it does not belong to this content ({_said(done)})"


def make_ready(key: Path, signers: Path) -> None:
    """Make the key unless it is there, and let it sign: its line is added to the file of signers.

    Raises SettingsError when it cannot be made or read.
    """
    try:
        if not key.exists():
            key.parent.mkdir(parents=True, exist_ok=True)
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", NAMESPACE, "-f", str(key)]
            subprocess.run(words, check=True, capture_output=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
        line = f'understudy namespaces="{NAMESPACE}" {key.with_name(f"{key.name}.pub").read_text(encoding="utf-8")}'
        if not signers.exists() or line not in signers.read_text(encoding="utf-8"):
            with signers.open("a", encoding="utf-8") as file:
                file.write(line)
    except (OSError, subprocess.SubprocessError) as error:
        raise SettingsError(
            f"The key {key} cannot be used by this account ({error}); name another one, or let the account write there."
        ) from error


def _run(what: str, *words: str, content: bytes = b"") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            ["ssh-keygen", "-Y", what, *words], input=content, capture_output=True, env=environment,
            timeout=_SECONDS, check=False, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SettingsError("There is no ssh-keygen; install openssh-client.") from error
    except subprocess.TimeoutExpired as error:
        raise SettingsError(f"ssh-keygen did not answer within {_SECONDS} s.") from error
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that ssh-keygen wrote."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {done.returncode}"
