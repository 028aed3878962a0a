"""Run programs and keep the cause when they fail."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from lab.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run(
    arguments: Sequence[str],
    *,
    input_text: str | None = None,
    timeout_seconds: float = 60,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return its standard output.

    `environment` is added to that of this process. Raises CommandError when the program is missing, fails or
    takes longer than `timeout_seconds`.
    """
    result = attempt(
        arguments,
        input_bytes=None if input_text is None else input_text.encode(),
        timeout_seconds=timeout_seconds,
        environment=environment,
    )
    output = result.stdout.decode(errors="replace")
    if result.returncode != 0:
        words = (result.stderr.decode(errors="replace") or output).strip()
        raise CommandError(
            f"`{shlex.join(arguments)}` failed with exit code {result.returncode}: {words[-2000:]}",
            result.returncode,
            words,
        )
    return output


def attempt(
    arguments: Sequence[str],
    *,
    input_bytes: bytes | None = None,
    timeout_seconds: float = 60,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program and return whatever came of it.

    Raises CommandError when the program is missing or takes longer than `timeout_seconds`.
    """
    try:
        return subprocess.run(
            list(arguments),
            input=input_bytes,
            stdin=subprocess.DEVNULL if input_bytes is None else None,
            capture_output=True,
            timeout=timeout_seconds,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(
            f"`{arguments[0]}` is not installed; run `make lab`, which installs what the lab needs.", None, ""
        ) from error
    except subprocess.TimeoutExpired as error:
        words = (error.stderr or error.stdout or b"").decode(errors="replace").strip()
        raise CommandError(
            f"`{shlex.join(arguments)}` did not finish within {timeout_seconds:g} s: {words[-2000:]}",
            None,
            words,
        ) from error
