"""Run the stand-in gateway as a process."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import uvicorn

from booking.gateway_standin.app import create_app
from booking.gateway_standin.ledger import Ledger
from booking.web.logs import write_logs

if TYPE_CHECKING:
    from pathlib import Path


def serve(
    listen: str,
    secret_file: Path,
    store: Path,
    *,
    certificate: Path | None,
    key: Path | None,
    notify_ca_file: Path | None,
) -> None:
    """Serve until the process is told to end; HTTPS when there is a certificate."""
    write_logs()
    host, _, port = listen.rpartition(":")
    trust = ssl.create_default_context(cafile=str(notify_ca_file)) if notify_ca_file else None
    app = create_app(Ledger(store), secret_file.read_text(encoding="utf-8").strip(), trust)
    uvicorn.run(
        app,
        host=host.strip("[]"),
        port=int(port),
        ssl_certfile=str(certificate) if certificate else None,
        ssl_keyfile=str(key) if key else None,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
