"""Ask the runner's API: one call, one answer, and each failure a sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import ssl
from typing import TYPE_CHECKING, Any, Self

import httpx

from runner.cli import stream
from runner.cli.session import Unreachable
from runner.errors import InvalidRequest, NotFound, Refused, RunnerError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.cli.session import Session
    from runner.cli.stream import Event

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 40.0  # of a stream; the runner says something more often
_OPEN_TO_OTHERS = 0o077

type Query = str | int | Sequence[str]

_KINDS: Mapping[int, type[RunnerError]] = {
    400: InvalidRequest,
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Refused,
    422: InvalidRequest,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: the JSON as it came, and read."""

    text: str
    data: Any
    headers: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Api:
    """A connection to the API. Every function raises Unreachable, and the errors that the API's answer stands for."""

    client: httpx.Client
    url: str

    @classmethod
    def connect(cls, session: Session) -> Self:
        """Prepare a connection; nothing is sent yet. Raises SettingsError."""
        if not session.url.startswith(("http://", "https://")):
            raise SettingsError(f"The URL {session.url!r} cannot be used; write https://host:8700.")
        limits = httpx.Timeout(session.seconds, connect=min(session.seconds, CONNECT_SECONDS))
        try:
            client = httpx.Client(
                base_url=session.url,
                headers={"Authorization": f"Bearer {token(session.token_file)}", "Accept": "application/json"},
                timeout=limits,
                transport=session.around.transport,
                verify=_trusted(session.ca_file) if session.url.startswith("https:") else True,
                trust_env=False,  # a proxy on the way would see the token
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"The URL {session.url!r} cannot be used: {error}; write https://host:8700.") from error
        return cls(client, session.url)

    def get(self, path: str, **query: Query | None) -> Answer:
        """Read something. Parts of the query that are None are left out, lists stand several times."""
        return self._call("GET", path, query={name: value for name, value in query.items() if value is not None})

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Have something done."""
        return self._call(method, path, body=body)

    def events(self, job_id: str, after: int) -> Iterator[Event]:
        """Listen to a job's story from an event on, until the runner ends it. Raises Unreachable when it breaks off."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if after:
            headers["Last-Event-ID"] = str(after)
        limits = httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS)
        with (
            self._sentences(),
            self.client.stream("GET", f"/jobs/{job_id}/events", headers=headers, timeout=limits) as response,
        ):
            if not response.is_success:
                response.read()
                self._check(response)
            yield from stream.events(response.iter_lines())

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def _call(self, method: str, path: str, *, query: Mapping[str, Query] | None = None, body: object = None) -> Answer:
        with self._sentences():
            response = self.client.request(method, path, params=query or None, json=body)
        self._check(response)
        return Answer(response.text, _read(response, self.url), response.headers)

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        kind = _KINDS.get(response.status_code, RunnerError)
        try:
            message = str(response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            raise kind(
                f"{self.url} answered {response.status_code}, and not as a runner does; check UNDERSTUDY_URL."
            ) from None
        raise kind(message)

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unreachable(
                f"{self.url} did not answer in time; check `systemctl status understudy-runner` there, and the network."
            ) from error
        except httpx.HTTPError as error:
            raise Unreachable(_broken(self.url, error)) from error


def token(file: Path | None) -> str:
    """Read the bearer token. Raises SettingsError when there is none, or when others can read the file."""
    if file is None:
        raise SettingsError("There is no token: set UNDERSTUDY_TOKEN_FILE to the file that holds it, mode 0600.")
    try:
        mode = file.stat().st_mode & 0o777
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {file} cannot be read ({error}); check UNDERSTUDY_TOKEN_FILE.") from error
    if mode & _OPEN_TO_OTHERS:
        raise SettingsError(f"The token file {file} has mode {mode:04o}, so others can use it: chmod 0600 {file}.")
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise SettingsError(f"The token file {file} does not hold one token; `understudy token add` makes one.")
    return text


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"The CA file {ca_file} cannot be used ({error}); check UNDERSTUDY_CA_FILE.") from error


def _broken(url: str, error: httpx.HTTPError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"The certificate of {url} is not trusted ({error}); set UNDERSTUDY_CA_FILE to the CA that signed it."
    why = str(error) or type(error).__name__
    return f"{url} cannot be reached ({why}); check UNDERSTUDY_URL, and `systemctl status understudy-runner` there."


def _read(response: httpx.Response, url: str) -> Any:
    try:
        return response.json()
    except json.JSONDecodeError as error:
        raise RunnerError(f"{url} did not answer with JSON; check that UNDERSTUDY_URL is a runner's.") from error
