"""Send a runner many alerts, each twice, and count its answers: `python3 - DELIVERIES PATIENCE NAME`, as root there.

What is not taken is sent again while patience (seconds) lasts, as Alertmanager does. They have ended and no policy
waits for them; with a name they are of that name and fire.
Address, token and authority are those that this host's Alertmanager uses.
"""

import json
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path("/etc/understudy/monitoring")
AT_ONCE = 8
SECONDS = 20
PAUSE_SECONDS = 1
ALERT = "DrillStorm"
NEVER = "0001-01-01T00:00:00Z"


def body(number: int, started: str, name: str = "") -> bytes:
    """Write one delivery as Alertmanager does, with an alert of that name that fires, or one that has ended."""
    labels = {"alertname": name or ALERT, "number": str(number), "severity": "info"}
    status, ended = ("firing", NEVER) if name else ("resolved", started)
    alert = {
        "status": status, "labels": labels, "annotations": {}, "startsAt": started, "endsAt": ended,
        "generatorURL": "", "fingerprint": f"{number:016x}",
    }  # fmt: skip
    return json.dumps(
        {
            "version": "4",
            "groupKey": f"drill-{number}",
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "runners",
            "groupLabels": {},
            "commonLabels": labels,
            "commonAnnotations": {},
            "externalURL": "",
            "alerts": [alert],
        }
    ).encode()


def own(urls: list[str], addresses: list[str]) -> str:
    """Return the address of the runner of this host: Alertmanager tells those of all sites."""
    return next(url for url in urls if urllib.parse.urlsplit(url).hostname in addresses)


def taken(code: str) -> bool:
    """Tell whether an answer ends it; a silent runner, and one that is not ready, is asked again."""
    return code.isdigit() and not code.startswith("5")


def main(deliveries: int, patience_seconds: float = 0, name: str = "") -> None:
    """Send them, and print how often each answer came."""
    settings = (FOLDER / "alertmanager.yml").read_text(encoding="utf-8")
    url = own(re.findall(r"- url: (\S+)", settings), subprocess.check_output(["hostname", "-I"], text=True).split())
    context = ssl.create_default_context(cafile=re.findall(r"ca_file: ([^},\s]+)", settings)[0])
    token = (FOLDER / "runner-token").read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    started, began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.monotonic()

    def send(number: int) -> str:
        request = urllib.request.Request(url, body(number, started, name), headers)  # noqa: S310 - Alertmanager's own
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310 - as above
                return str(answer.status)
        except urllib.error.HTTPError as error:
            return str(error.code)
        except OSError as error:
            return type(error).__name__

    def insist(number: int) -> str:
        while not taken(code := send(number)) and time.monotonic() - began < patience_seconds:
            time.sleep(PAUSE_SECONDS)
        return code

    numbers = [*range(deliveries // 2)] * 2
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = Counter(pool.map(insist, numbers))
    seen = {"answers": answers, "alert": name or ALERT, "alerts": deliveries // 2, "started": started}
    print(json.dumps(seen | {"seconds": round(time.monotonic() - began, 2)}))  # noqa: T201 - its output


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]) if sys.argv[2:] else 0, *sys.argv[3:])
