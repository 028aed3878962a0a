"""An application server that misbehaves on request: `server.py PORT`."""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT = int(sys.argv[1])
NAMES = {8081: "near1", 8082: "near2", 8083: "far1"}
UNREADY = Path(f"/run/server/{PORT}.unready")
LOCK = threading.Lock()
COUNTS: dict[str, int] = {}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together, so that being stopped never tears an answer in two

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def answer(self) -> None:
        with LOCK:
            COUNTS[self.path] = COUNTS.get(self.path, 0) + 1
        if self.path == "/readyz":
            self.say(503 if UNREADY.exists() else 200, {})
        elif self.path == "/counts":
            self.say(200, COUNTS)
        elif self.path.startswith("/cut") or (self.path.startswith("/fragile") and PORT == 8081):
            self.close_connection = True
        else:
            if self.path == "/slow":
                time.sleep(2)
            self.say(
                200, {"server": NAMES[PORT], "headers": {key.lower(): value for key, value in self.headers.items()}}
            )

    def say(self, status: int, content: Mapping[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


Server(("", PORT), Answers).serve_forever()
