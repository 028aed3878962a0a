"""What the processes of a run see of the environment: names on a list, and the settings that every run needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runner.execute.processes import MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.execute.request import RunRequest

# Anything else of the runner's environment stays with the runner: it may hold secrets.
PASSED_ON = frozenset(
    {
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "SSH_AUTH_SOCK",
        "XDG_RUNTIME_DIR",
        "OS_CLIENT_CONFIG_FILE",
        "OS_CLOUD",
        "ANSIBLE_CONFIG",
        "ANSIBLE_COLLECTIONS_PATH",
        "ANSIBLE_ROLES_PATH",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "UNDERSTUDY_REACH_OVER",
        "UNDERSTUDY_LAST_GOOD_DIRECTORY",
    }
)
CALLBACKS = Path(__file__).with_name("callback")


def settings(of_runner: Mapping[str, str], display: Path) -> dict[str, str]:
    """Return what is the same for every run (and for the preloaded process). `display`: ansible-runner's callbacks."""
    kept = {name: value for name, value in of_runner.items() if name in PASSED_ON}
    path = f"{Path(sys.executable).parent}:{of_runner.get('PATH', os.defpath)}"
    return {"LANG": "C.UTF-8", "HOME": "/"} | kept | {
        "PATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "ANSIBLE_CALLBACK_PLUGINS": f"{display}:{CALLBACKS}",
        "ANSIBLE_CALLBACKS_ENABLED": "understudy_lease",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_FORCE_COLOR": "False",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_LOG_PATH": "/dev/null",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "False",
        # An inventory that cannot be read is an error, never an empty list.
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    }  # fmt: skip


def of_run(common: Mapping[str, str], request: RunRequest, folder: Path, lease: Path) -> dict[str, str]:
    """Return the environment of one run. `folder`: its own in memory; everything temporary goes there."""
    return {
        **common,
        **request.environment,
        MARKER: str(folder.parent),
        "UNDERSTUDY_JOB": request.job_id,  # for people who look at processes
        "UNDERSTUDY_LEASE": str(lease),
        "AWX_ISOLATED_DATA_DIR": str(folder / "run"),
        "TMPDIR": str(folder),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        # Connections are shared within the run only: they end with it, and no other run's end takes them away.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
    }
