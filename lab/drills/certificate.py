"""Let the certificate of an edge expire, and look at it as customers do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab import building, crowd
from lab.drills import reach, writers
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab import faults

EDGES = ("colo-gw1", "cloud-gw1")
GOOD, EXPIRED = "good", "expired"
_FILE = "/etc/understudy/tls/edge.pem"
_KEPT = f"{_FILE}.before-drill"  # as in lab/expired_certificate.yml
_TAKE = "systemctl start understudy-balancer-certificate.service"
_SECONDS = 90  # edges look for a new certificate every minute
_LOOK = """
import socket, ssl, sys
context = ssl.create_default_context(cafile="/etc/understudy/tls/ca.crt")
try:
    with socket.create_connection((sys.argv[1], 443), 5) as plain:
        context.wrap_socket(plain, server_hostname=sys.argv[2]).close()
    print("good")
except ssl.SSLCertVerificationError as error:
    print("expired" if error.verify_code == 10 else error.verify_message)
except OSError as error:
    print(f"silent: {error}")
"""


def expire(lab: faults.Lab, edge: str, log: Path) -> None:
    """Give an edge a certificate of the project's authority that expired yesterday; wait until customers see it."""
    step = building.Step("an expired certificate", "lab/expired_certificate.yml", building.PROJECT)
    with log.open("a", encoding="utf-8") as stream:
        code = building.play(step, ["-e", f"expired_on={edge}"], output=stream)
    if code != 0:
        raise LabError(f"The certificate of {edge} could not be made to expire; {log} says why.")
    if told := wait(lab, edge, EXPIRED):
        raise LabError(told)


def wait(lab: faults.Lab, edge: str, wanted: str, sleep: Callable[[float], None] = time.sleep) -> str:
    """Wait until customers see an edge's certificate so; return nothing then, else a sentence on what they see."""
    deadline = time.monotonic() + _SECONDS
    while (seen := look(lab, edge)) != wanted:
        if time.monotonic() > deadline:
            return f"Customers should see the certificate of {edge} {wanted}, and after {_SECONDS} s see: {seen}."
        sleep(1)
    return ""


def look(lab: faults.Lab, edge: str) -> str:
    """Say what a customer meets at an edge: a good certificate, an expired one, or what else is wrong."""
    words = ("python3", "-c", _LOOK, writers.public_address(lab, edge), crowd.NAME)
    return reach.on(lab, crowd.CROWD, "sudo", *words).strip()


def mend(lab: faults.Lab) -> None:
    """Put back what was there where nobody renewed it, and forget it where somebody did; safe to repeat."""
    for edge in EDGES:
        command = (
            f"test ! -e {_KEPT} || {{ if openssl x509 -in {_FILE} -noout -checkend 0 > /dev/null; "
            f"then rm {_KEPT}; else mv {_KEPT} {_FILE} && {_TAKE}; fi; }}"
        )
        reach.on(lab, edge, "sudo", "sh", "-c", command)
