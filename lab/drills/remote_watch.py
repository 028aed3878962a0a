"""Tell every tenth of a second who holds the lease: `python3 - ADDRESS SCOPE`, as root on a member of the consensus."""

import base64
import http.client
import json
import ssl
import sys
import time

TLS = "/etc/understudy/tls"
STEP_SECONDS = 0.1


def holder(address: str, scope: str, context: ssl.SSLContext) -> str:
    """Ask for the leader's key, answered by a majority; raises OSError, HTTPException or ValueError without one."""
    body = json.dumps({"key": base64.b64encode(f"/service/{scope}/leader".encode()).decode()})
    connection = http.client.HTTPSConnection(address, 2379, timeout=2, context=context)
    try:
        connection.request("POST", "/v3/kv/range", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(str(answer.status))
    found = [base64.b64decode(each["value"]).decode() for each in told.get("kvs") or []]
    return found[0] if found else "-"


def main(address: str, scope: str) -> None:
    """Look until the standard output is gone."""
    context = ssl.create_default_context(cafile=f"{TLS}/ca.crt")
    context.load_cert_chain(f"{TLS}/host.crt", f"{TLS}/host.key")
    while True:
        try:
            found = holder(address, scope, context)
        except (OSError, http.client.HTTPException, ValueError):
            found = "?"
        print(f"{time.time():.4f} {found}", flush=True)  # noqa: T201 - this program's output is what it is for
        time.sleep(STEP_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
