"""Stand in for a runner (8700), an application server (8080) and an edge (443), and write down who was told what.

Deliveries are lines of JSON in /run/standin/told; what the application server says stands in /run/standin/figures.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOLD = Path("/run/standin/told")
FIGURES = Path("/run/standin/figures")
ALERTS, METRICS = "Bearer us_alerts-of-this-scenario", "Bearer us_metrics-of-this-scenario"
QUIET = "booking_customers_waiting 0\nbooking_ready 1\n"
RUNNER = 'understudy_runner_store_up 1\nunderstudy_runner_jobs{state="failed"} 0\n'


class Answers(BaseHTTPRequestHandler):
    """Answer for all three."""

    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    def answer(self, status: int, text: str = "") -> None:
        """Send one answer."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Show figures, or that it lives."""
        if self.path != "/metrics":
            self.answer(200, "well")
        elif self.server.server_port == 8700:
            known = self.headers.get("Authorization") == METRICS
            self.answer(200 if known else 401, RUNNER if known else "")
        else:
            self.answer(200, FIGURES.read_text() if FIGURES.exists() else QUIET)

    def do_POST(self) -> None:
        """Take a delivery."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        known = self.headers.get("Authorization") == ALERTS
        told = {"at": time.time(), "known": known, "path": self.path, "body": json.loads(body)}
        with TOLD.open("a") as stream:
            stream.write(json.dumps(told) + "\n")
        self.answer(202 if known else 401)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve on the three ports."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/etc/understudy/tls/host.crt", "/etc/understudy/tls/host.key")
    for port in (8700, 443, 8080):
        server = ThreadingHTTPServer(("0.0.0.0", port), Answers)  # noqa: S104 - in a container of a test
        if port != 8080:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
