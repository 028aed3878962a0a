"""A stand-in for Keystone and Nova over HTTP, with the answers of a real cloud and the faults of a bad day.

As a program it serves N servers until its input ends:
`python -m tests.integration.inventory.openstack_api N`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

PASSWORD = 'pa$$w0rd "of" the lab'
TOKEN = "gAAAAABtoken-that-nobody-may-see"
Fault = Literal[
    "none", "hang", "trickle", "unauthorized", "error", "broken_json", "no_servers", "second_page", "echo",
    "hang_at_login", "broken_login", "circle",
]  # fmt: skip


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Give a server as `GET /servers/detail` lists it (microversion 2.69), about 2 KB of JSON."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"server {number}"))
    lan, management = (
        f"10.230.{number // 250}.{number % 250 + 1}",
        f"10.231.{number // 250}.{number % 250 + 1}",
    )
    return {
        "id": identity,
        "name": f"cloud-was{number}",
        "status": "ACTIVE",
        "tenant_id": "6f70656e737461636b20342065766572",
        "user_id": "admin",
        "metadata": {"understudy_function": "was", "burst": "true", "release": "2025.11.1"},
        "hostId": "e" * 56,
        "image": {"id": "70a599e0-31e7-49b7-b260-868f441e862b", "links": _links("images", identity)},
        "flavor": {
            "vcpus": 2, "ram": 4096, "disk": 0, "ephemeral": 0, "swap": 0, "original_name": "was.small",
            "extra_specs": {"hw:cpu_policy": "shared", "hw:mem_page_size": "small"},
        },
        "created": "2025-11-24T10:11:12Z",
        "updated": "2025-11-24T10:11:19Z",
        "addresses": {"lan": [_address(lan, "fa:16:3e:00:00:01")], "management": [_address(management, "x")]},
        "accessIPv4": "",
        "accessIPv6": "",
        "links": _links("servers", identity),
        "OS-DCF:diskConfig": "AUTO",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": "understudy",
        "OS-SRV-USG:launched_at": "2025-11-24T10:11:19.000000",
        "OS-SRV-USG:terminated_at": None,
        "security_groups": [{"name": "was"}, {"name": "management"}],
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [],
        "locked": False,
        "locked_reason": None,
        "description": "made by understudy",
        "tags": [],
        "trusted_image_certificates": None,
        "server_groups": [],
        **changes,
    }  # fmt: skip


def _links(kind: str, identity: str) -> list[dict[str, str]]:
    root = "http://openstack.example.com"
    return [
        {"rel": "self", "href": f"{root}/v2.1/{kind}/{identity}"},
        {"rel": "bookmark", "href": f"{root}/{kind}/{identity}"},
    ]


def _address(text: str, mac: str, kind: str = "fixed") -> dict[str, Any]:
    return {"version": 6 if ":" in text else 4, "addr": text, "OS-EXT-IPS:type": kind,
            "OS-EXT-IPS-MAC:mac_addr": mac}  # fmt: skip


def server(name: str, function: str | None, *addresses: str, **changes: Any) -> dict[str, Any]:
    """Give a server record with the given name, function and addresses."""
    metadata = {"understudy_function": function} if function is not None else {}
    networks = {f"net{index}": [_address(text, "x")] for index, text in enumerate(addresses)}
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    return record(0, **({"id": identity, "name": name, "metadata": metadata, "addresses": networks} | changes))


@dataclass
class FakeCloud:
    """A cloud whose servers, quota and faults a test sets; `asked` counts the pages asked for.

    `limits`: absolute ones as the API calls them; none is a cloud that does not tell.
    """

    servers: Sequence[dict[str, Any]] = ()
    limits: dict[str, int] | None = None
    fault: Fault = "none"
    page_length: int = 1000
    oldest: bool = False
    versioned: bool = True
    link_root: str = ""
    asked: int = 0
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    _pages: dict[str, bytes] = field(default_factory=dict)

    def start(self, port: int = 0) -> FakeCloud:
        """Listen on a port of the loopback interface, a free one if 0."""
        cloud = self

        class Handler(_Handler):
            fake = cloud

        self._http = _Server(("127.0.0.1", port), Handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening: from now on connections are refused."""
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        """Give the address of the identity service."""
        return f"http://127.0.0.1:{self.port}"

    def page(self, query: dict[str, list[str]]) -> bytes:
        """Give a page of the list; pages are kept, for benchmarks ask for the same ones again and again."""
        marker = query.get("marker", [""])[0]
        key = f"{marker} {len(self.servers)}"
        if self.fault == "none" and key in self._pages:
            return self._pages[key]
        names = [each["id"] for each in self.servers]
        start = names.index(marker) + 1 if marker in names else 0
        length = min(self.page_length, int(query.get("limit", ["1000"])[0]))
        page = list(self.servers[start : start + length])
        body: dict[str, Any] = {"servers": page}
        if start + length < len(self.servers) or self.fault == "circle":
            last = page[-1]["id"] if self.fault != "circle" else "round"
            href = f"{self.link_root or self.url}/compute/v2.1/servers/detail?limit={length}&marker={last}"
            body["servers_links"] = [{"rel": "next", "href": href}]
        text = json.dumps(body).encode()
        if self.fault == "none" and self.page_length >= 100:
            self._pages[key] = text
        return text


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is only that a client gave up, as those do whose cloud hangs."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeCloud
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/servers/detail"):
            self.fake.asked += 1
            with suppress(BrokenPipeError, ConnectionResetError):
                self._servers(parse_qs(url.query))
        elif url.path.endswith("/limits") and self.fake.limits is not None:
            self._send(200, {"limits": {"rate": [], "absolute": self.fake.limits}})
        elif "/flavors/" in url.path:
            self._send(200, {"flavor": {"id": "1", "name": url.path.rsplit("/", 1)[1], "vcpus": 2, "ram": 4096}})
        elif url.path.endswith("/limits"):
            self._error(500, "Unexpected API Error.")
        elif url.path.startswith("/v3"):
            self._send(200, {"version": _version("v3.14", f"{self.fake.url}/v3/")})
        elif url.path.startswith("/compute/v2.1"):
            self._send(200, {"version": self._compute_version()})
        elif url.path.startswith("/compute"):
            self._send(200, {"versions": [self._compute_version()]})
        else:
            self._send(300, {"versions": {"values": [_version("v3.14", f"{self.fake.url}/v3/")]}})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        fault = self.fake.fault
        if fault == "hang_at_login":
            self.fake.released.wait(60)
            return
        if fault == "broken_login":
            self._send_bytes(201, b'{"token": ', {"X-Subject-Token": TOKEN})
        elif json.dumps(PASSWORD) not in sent or fault == "unauthorized":
            self._error(401, f"The request you have made requires authentication: {sent}")
        else:
            self._send(201, {"token": self._token()}, {"X-Subject-Token": TOKEN})

    def _servers(self, query: dict[str, list[str]]) -> None:
        fault, second = self.fake.fault, "marker" in query
        if fault == "hang":
            self.fake.released.wait(60)
        elif fault == "trickle":
            self._trickle(self.fake.page(query))
        elif fault == "error" or (fault == "second_page" and second):
            self._error(500, "Unexpected API Error.")
        elif fault == "echo":
            self._error(500, f"{PASSWORD} {self.headers}")
        elif fault == "broken_json":
            self._send_bytes(200, self.fake.page(query)[:-9])
        elif fault == "no_servers":
            self._send(200, {"choices": []})
        elif self.fake.oldest and self.headers.get("OpenStack-API-Version", "compute 2.1") != "compute 2.1":
            self._error(406, "Version 2.69 is not supported by the API.")
        else:
            self._send_bytes(200, self.fake.page(query))

    def _trickle(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for index in range(len(body)):
            self.wfile.write(body[index : index + 1])
            if self.fake.released.wait(0.1):
                return

    def _compute_version(self) -> dict[str, Any]:
        return _version("v2.1", f"{self.fake.url}/compute/v2.1/") | {"version": "2.93", "min_version": "2.1"}

    def _token(self) -> dict[str, Any]:
        url = f"{self.fake.url}/compute" + ("/v2.1" if self.fake.versioned else "")
        endpoints = [
            {"id": each, "interface": each, "region": "RegionOne", "region_id": "RegionOne", "url": url}
            for each in ("public", "internal", "admin")
        ]
        return {
            "methods": ["password"],
            "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 3600)),
            "issued_at": "2025-11-24T10:00:00.000000Z",
            "user": {"id": "u", "name": "understudy", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "p", "name": "understudy", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "member"}],
            "catalog": [{"id": "c", "type": "compute", "name": "nova", "endpoints": endpoints}],
        }

    def _error(self, status: int, message: str) -> None:
        self._send(status, {"error": {"code": status, "message": message, "title": "Error"}})

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(body).encode(), headers)

    def _send_bytes(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _version(name: str, url: str) -> dict[str, Any]:
    return {
        "id": name,
        "status": "CURRENT" if name.startswith("v2") else "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": url}],
        "media-types": [],
    }


def main() -> None:
    """Serve as many servers as the argument says; tell the port, and end when the input does."""
    cloud = FakeCloud([record(number) for number in range(int(sys.argv[1]))]).start()
    print(cloud.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
