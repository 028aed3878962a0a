"""Start a service when what it leans on is there: `python cloud_gate.py CONDITION STEPS PROGRAM ARGUMENTS...`.

nova-scheduler, -conductor and -compute end when Keystone does not know them yet; Neutron's agents wait long for an
answer that nobody was there to give. A new start costs seconds of computing, so the service is loaded first, then
waits, then runs. A condition is a URL that must answer, the path of a configuration whose [service_user] must be able
to log in, or `-`. Steps are modules to load and `module:function` to call, joined by commas; the first is loaded
before the wait. Runs on the machine's Python, where the services are, so it imports nothing of the lab.
"""

from __future__ import annotations

import configparser
import importlib
import json
import sys
import time
import urllib.request
from pathlib import Path

_PAUSE_SECONDS = 0.25


def login_request(configuration: str) -> urllib.request.Request:
    """Return the request for a token, from the text of a service's configuration (section service_user)."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(configuration)
    account = parser["service_user"]
    user = {
        "name": account["username"],
        "password": account["password"],
        "domain": {"name": account["user_domain_name"]},
    }
    project = {"name": account["project_name"], "domain": {"name": account["project_domain_name"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}}
    return urllib.request.Request(  # noqa: S310  the lab's own Keystone
        f"{account['auth_url']}/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )


def is_answered(request: urllib.request.Request) -> bool:
    """Tell whether the request is answered with success."""
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310  the lab's own services
            return True
    except OSError:
        return False


def wait_for(condition: str) -> None:
    """Wait as long as it takes; the supervisor shows the service as running meanwhile."""
    if condition == "-":
        return
    if condition.startswith("http"):
        request = urllib.request.Request(condition)  # noqa: S310  the lab's own services
    else:
        request = login_request(Path(condition).read_text())
    while not is_answered(request):
        time.sleep(_PAUSE_SECONDS)


def main() -> None:
    """Load the service, wait, then take the steps; the last one runs the service."""
    condition, steps, *sys.argv = sys.argv[1:]
    first, *_ = steps.split(",")
    importlib.import_module(first.partition(":")[0])
    wait_for(condition)
    for step in steps.split(","):
        module, _, function = step.partition(":")
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()


if __name__ == "__main__":
    main()
