"""Ask whether the web part answers, and whether its address can be opened, with as little code as that takes."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

SECONDS = 0.5
PATH = "/healthz"

type Address = tuple[bool, str, int]  # TLS or not, host, port


def answers(address: Address, seconds: float = SECONDS) -> bool:
    """Tell whether `/healthz` answers 200. The certificate is not looked at: it is our own child that is asked."""
    encrypted, host, port = address
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    try:
        plain = socket.create_connection((host, port), timeout=seconds)
        with plain, _wrapped(plain, host) if encrypted else plain as connection:
            connection.sendall(request)
            return connection.recv(64).startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
    except OSError:
        return False


def trouble_with(host: str, port: int) -> str | None:
    """Say why an address cannot be opened, or None when it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _wrapped(plain: socket.socket, host: str) -> ssl.SSLSocket:
    import ssl  # noqa: PLC0415 - five megabytes that the supervisor has for nothing where there is no TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)
