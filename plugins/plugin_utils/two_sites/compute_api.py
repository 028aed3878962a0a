"""Ask a cloud for its servers, authenticated by openstacksdk.

The list itself is read as raw JSON pages: making the sdk's resource objects takes most of a minute for 10,000.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as auth_errors
from keystoneauth1.adapter import Adapter

from .errors import TwoSitesError
from .servers import PartialAnswerError, Server, read_page, read_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

PAGE_LENGTH = 1000
# 2.69 lists the servers of a cell that is down as unknown; before, they were left out without a word.
MICROVERSION = "2.69"
# Everything else under `auth` counts as secret.
PUBLIC_AUTH_KEYS = frozenset({
    "auth_url", "username", "user_id", "user_domain_id", "user_domain_name", "project_id", "project_name",
    "project_domain_id", "project_domain_name", "domain_id", "domain_name", "default_domain_id",
    "default_domain_name", "system_scope", "trust_id", "application_credential_id",
    "application_credential_name", "identity_provider", "protocol",
})  # fmt: skip
CAUSE_LENGTH = 300
SYSTEM_ERROR = re.compile(r"\[Errno -?\d+\] ([A-Za-z ]+)")


class UnansweredError(TwoSitesError):
    """Say why a cloud gave no complete list; holds no secret."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A cloud that can be asked; `secrets` are kept out of everything that is said about it."""

    name: str
    identity: str
    region: CloudRegion
    only_ours: bool
    secrets: tuple[str, ...]

    def ask(self, deadline: float) -> tuple[Server, ...]:
        """List the cloud's servers, authentication included, until `deadline` of the monotonic clock.

        Raises UnansweredError with the cause.
        """
        session: Session | None = None
        try:
            self.region.config["api_timeout"] = max(0.001, deadline - time.monotonic())
            session = self.region.get_session()
            return self._list(self._adapter(session), deadline)
        except Exception as error:  # noqa: BLE001 - whatever a cloud's answer provokes is that cloud's silence
            raise UnansweredError(self._redacted(cause_of(error), session)) from None

    def _list(self, adapter: Adapter, deadline: float) -> tuple[Server, ...]:
        servers: dict[str, Server] = {}
        query: str | None = f"limit={PAGE_LENGTH}"
        seen: set[str] = set()
        microversion: str | None = MICROVERSION
        while query:
            if query in seen:
                raise PartialAnswerError(f"the pages go in a circle at {query}")
            if time.monotonic() >= deadline:
                raise PartialAnswerError("the time limit passed between two pages")
            try:
                body = _page(adapter, query, microversion)
            except auth_errors.NotAcceptable:
                if microversion is None:
                    raise
                microversion = None
                continue
            seen.add(query)
            records, link = read_page(body)
            for server in map(read_server, records):
                if server.is_ours or not self.only_ours:
                    servers[server.id] = server
            query = urlsplit(link).query if link else None
        return tuple(servers.values())

    def _adapter(self, session: Session) -> Adapter:
        return Adapter(
            session,
            service_type="compute",
            interface=self.region.get_interface("compute"),
            region_name=self.region.get_region_name("compute"),
            endpoint_override=self.region.get_endpoint("compute"),
            min_version="2.1",
            max_version="2.latest",
            connect_retries=0,
            status_code_retries=0,
        )

    def _redacted(self, text: str, session: Session | None) -> str:
        access = getattr(getattr(session, "auth", None), "auth_ref", None)
        token = getattr(access, "auth_token", None)
        for secret in sorted((*self.secrets, *([token] if token else [])), key=len, reverse=True):
            text = text.replace(secret, "***")
        return " ".join(text.split())[:CAUSE_LENGTH]


def connection_to(region: CloudRegion, name: str, *, only_ours: bool) -> Connection:
    """Prepare to ask a cloud; nothing is sent yet."""
    auth = region.config.get("auth") or {}
    public = {key: str(value) for key, value in auth.items() if key in PUBLIC_AUTH_KEYS}
    scope = {
        **public,
        "name": name,
        "region": region.get_region_name("compute"),
        "endpoint": region.get_endpoint("compute"),
        "only_ours": only_ours,
    }
    digest = hashlib.sha256(json.dumps(scope, sort_keys=True).encode()).hexdigest()[:16]
    return Connection(name, digest, region, only_ours, secrets_of(auth))


def secrets_of(auth: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the values of an auth section that nobody may see."""
    return tuple(str(value) for key, value in auth.items() if key not in PUBLIC_AUTH_KEYS and value)


def cause_of(error: Exception) -> str:
    """Say in a few words what went wrong; text that a server wrote is left out."""
    if isinstance(error, auth_errors.HttpError):
        hint = " (it refuses the credentials of clouds.yaml)" if error.http_status == 401 else ""
        return f"HTTP {error.http_status} from {_without_query(error.url)}{hint}"
    if isinstance(error, TwoSitesError):
        return str(error)
    if isinstance(error, auth_errors.ConnectTimeout | requests.Timeout):
        return "no answer within the time limit"
    if isinstance(error, auth_errors.InvalidResponse | json.JSONDecodeError):
        return "an answer that is not the JSON it should be"
    text = str(error)
    system = SYSTEM_ERROR.search(text)
    if system:
        url = re.search(r"https?://[^\s:/]+(:\d+)?", text)
        return f"{system[1].strip().lower()}{f' at {url[0]}' if url else ''}"
    return f"{type(error).__name__}: {text}"


def _page(adapter: Adapter, query: str, microversion: str | None) -> object:
    answer = adapter.get(f"/servers/detail?{query}", microversion=microversion)
    try:
        return json.loads(answer.content)
    except ValueError:
        raise PartialAnswerError(
            f"the answer of {_without_query(str(answer.url))} is not JSON ({len(answer.content)} bytes)"
        ) from None


def _without_query(url: str | None) -> str:
    return urlsplit(url)._replace(query="", fragment="").geturl() if url else "the cloud"
