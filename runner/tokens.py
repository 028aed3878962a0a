"""Bearer tokens: who may ask the runner for what. The file holds digests, never a token."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.errors import InvalidRequest, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

ALERTS, READ, OPERATE, APPROVE, ADMIN = SCOPES = ("alerts", "read", "operate", "approve", "admin")
_BITS = 256
_PREFIX = "us_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_OPEN_TO_OTHERS = 0o027
_ADD = "understudy token add NAME --scope SCOPE"
logger = logging.getLogger("runner.tokens")


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `digest`: SHA-256 of the whole token, 32 bytes. `expires`: aware; None means never."""

    name: str
    scopes: frozenset[str]
    digest: bytes = dataclasses.field(repr=False)
    expires: datetime | None = None

    def may(self, scope: str) -> bool:
        """Tell whether the token's scopes cover one; admin covers all."""
        return scope in self.scopes or ADMIN in self.scopes


def make(random_bytes: Callable[[int], bytes]) -> str:
    """Return a new token of 256 random bits, in letters that pass through shells and headers."""
    return _PREFIX + base64.urlsafe_b64encode(random_bytes(_BITS // 8)).decode().rstrip("=")


def digest_of(token: bytes) -> bytes:
    """Return what the file keeps of a token. A plain hash is enough: 256 random bits cannot be guessed from it."""
    return hashlib.sha256(token).digest()


def added(
    tokens: tuple[Token, ...], name: str, scopes: Iterable[str], token: str, expires: datetime | None = None
) -> tuple[Token, ...]:
    """Return the tokens with one more. Raises InvalidRequest for a name that is taken or a scope that is not there."""
    chosen = frozenset(scopes)
    _check_names(name, chosen)
    if any(each.name == name for each in tokens):
        raise InvalidRequest(f"There is a token named {name} already; remove it first, or choose another name.")
    return (*tokens, Token(name, chosen, digest_of(token.encode()), expires))


def removed(tokens: tuple[Token, ...], name: str) -> tuple[Token, ...]:
    """Return the tokens without one. Raises InvalidRequest when there is none of that name."""
    left = tuple(each for each in tokens if each.name != name)
    if len(left) == len(tokens):
        names = ", ".join(each.name for each in tokens) or "none"
        raise InvalidRequest(f"There is no token named {name}; there are: {names}.")
    return left


def holder(tokens: Iterable[Token], presented: bytes, now: datetime) -> Token | None:
    """Return the token that was presented, unless it is unknown or expired. Takes equally long for all of them."""
    digest = digest_of(presented)
    found: Token | None = None
    for each in tokens:
        if hmac.compare_digest(each.digest, digest):
            found = each
    return found if found is None or found.expires is None or now < found.expires else None


def load(path: Path) -> tuple[Token, ...]:
    """Read a tokens file. Raises SettingsError when others may read it or it is not understood."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise SettingsError(f"There is no tokens file {path}; make one with `{_ADD}`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The tokens file {path} cannot be read: {error}.") from error
    if mode & _OPEN_TO_OTHERS:
        raise SettingsError(f"The tokens file {path} has mode {mode:04o}; others must not reach it: chmod 0600 {path}.")
    try:
        entries = json.loads(text)["tokens"]
        tokens = tuple(_token(path, number, entry) for number, entry in enumerate(entries))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"The tokens file {path} is not understood ({error}); make it anew with `{_ADD}`."
        raise SettingsError(problem) from error
    if len({each.name for each in tokens}) < len(tokens):
        raise SettingsError(f"The tokens file {path} has a name twice; remove one of the entries.")
    return tokens


def save(path: Path, tokens: Iterable[Token]) -> None:
    """Write a tokens file in one step, for its owner alone."""
    entries = [
        {
            "name": each.name,
            "scopes": sorted(each.scopes),
            "sha256": each.digest.hex(),
            "expires": each.expires.isoformat() if each.expires else None,
        }
        for each in tokens
    ]
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"tokens": entries}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


class Keyring:
    """The tokens of a file, read anew when it changes. A broken new file is told in the log, and the old one stays."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        """Read the file. Raises SettingsError as load does, also when no token is in it."""
        self._path = path
        self._clock = clock
        self._seen = self._mark()
        self._tokens = load(path)
        if not self._tokens:
            raise SettingsError(f"The tokens file {path} has no token, so nobody could ask anything: `{_ADD}`.")

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_mode)

    def holder(self, presented: bytes) -> Token | None:
        """Return the token that was presented, unless it is unknown or expired."""
        mark = self._mark()
        if mark != self._seen:
            self._seen = mark
            try:
                self._tokens = load(self._path)
                logger.info("event=tokens_reloaded tokens=%d", len(self._tokens))
            except SettingsError as error:
                logger.error("event=tokens_refused error=%r", str(error))  # noqa: TRY400 - the sentence says it all
        return holder(self._tokens, presented, self._clock())


def _check_names(name: str, scopes: frozenset[str]) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidRequest(f"The name {name!r} does not do; use up to 63 letters, digits and . _ @ -.")
    unknown = sorted(scopes - set(SCOPES))
    if unknown or not scopes:
        found = f"There is no scope {unknown[0]!r}" if unknown else f"The token {name} has no scope"
        raise InvalidRequest(f"{found}; choose among {', '.join(SCOPES)}.")


def _token(path: Path, number: int, entry: dict[str, object]) -> Token:
    name, digest, expires = str(entry["name"]), str(entry["sha256"]), entry.get("expires")
    scopes = entry["scopes"]
    if not isinstance(scopes, list):
        raise SettingsError(f"{path}: tokens[{number}].scopes is {scopes!r}; expected a list such as ['read'].")
    chosen = frozenset(str(scope) for scope in scopes)
    try:
        _check_names(name, chosen)
        raw = binascii.unhexlify(digest)
        moment = datetime.fromisoformat(str(expires)) if expires is not None else None
    except (InvalidRequest, ValueError) as error:
        raise SettingsError(f"{path}: tokens[{number}] cannot be used: {error}") from error
    if len(raw) != hashlib.sha256().digest_size:
        raise SettingsError(f"{path}: tokens[{number}].sha256 has {len(raw)} bytes; expected 32.")
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Token(name, chosen, raw, moment)
