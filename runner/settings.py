"""Settings of the runner from the environment: UNDERSTUDY_SITE, UNDERSTUDY_LISTEN and so on."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PlainValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "UNDERSTUDY_"
# Read by the command line and by the inventory plugin, which share the prefix.
OTHERS = frozenset(
    {"url", "token_file", "ca_file", "reach_over", "last_good_directory"}
    | {"evidence_dir", "evidence_key", "evidence_signers"}
)
IN_SO_MANY_WORDS = "yes-tokens-travel-in-clear"


def _absolute(value: object) -> Path:
    if not isinstance(value, str | Path) or not Path(value).is_absolute():
        raise ValueError("expected an absolute path")
    return Path(value)


def _listen(value: object) -> str:
    host, colon, port = str(value).rpartition(":")
    if not host or not colon or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("expected host:port, such as 127.0.0.1:8700 or [::1]:8700")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("expected brackets around an IPv6 address, such as [::1]:8700")
    return str(value)


def _store_url(value: object) -> SecretStr:
    text = str(value)
    if text and not text.startswith(("sqlite:////", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("expected sqlite:////path/of/a/file or postgresql://user@host/database")
    return SecretStr(text)


StoreUrl = Annotated[SecretStr, PlainValidator(_store_url)]
AbsolutePath = Annotated[Path, PlainValidator(_absolute)]
Listen = Annotated[str, PlainValidator(_listen)]


class Settings(BaseSettings):
    """Everything an operator can set. Tokens and vault passwords stand in the files that are named here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    site: Literal["colo", "cloud"]
    state_dir: AbsolutePath = Path("/var/lib/understudy")
    store_url: StoreUrl = SecretStr("")  # empty: SQLite below state_dir
    listen: Listen = "127.0.0.1:8700"
    listen_in_clear: Literal["", "yes-tokens-travel-in-clear"] = ""
    tls_certificate: AbsolutePath | None = None
    tls_key: AbsolutePath | None = None
    tokens_file: AbsolutePath
    policies_file: AbsolutePath = Path("/etc/understudy/policies.yml")
    calendar_file: AbsolutePath | None = None
    absence_file: AbsolutePath | None = None
    project_dir: AbsolutePath = Path("/opt/understudy")
    inventory: AbsolutePath | None = None  # none: inventories/production below project_dir
    vault_password_file: AbsolutePath | None = None
    node_id: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    lease_seconds: float = Field(default=4.0, ge=2, le=60)
    keep_days: int = Field(default=90, ge=1)
    keep_megabytes: int = Field(default=2048, ge=10)
    output_limit_megabytes: int = Field(default=16, ge=1, le=1024)
    public_url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?$")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the caller only: `load` gets the environment as an argument."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def store(self) -> str:
        """Return the URL of the store: the one that was set, or SQLite below `state_dir`."""
        return self.store_url.get_secret_value() or f"sqlite:///{self.state_dir / 'store.db'}"

    @property
    def inventory_path(self) -> Path:
        """Return the inventory: the one that was set, or the production one of the project."""
        return self.inventory or self.project_dir / "inventories/production"

    @property
    def host(self) -> str:
        """Return the host part of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port of `listen`."""
        return int(self.listen.rpartition(":")[2])


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings from an environment. Raises SettingsError: the variable, its value, and what to do next."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value and name not in OTHERS})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from error
    _refuse_half_tls(settings)
    _refuse_clear_text(settings)
    _refuse_no_tokens(settings)
    return settings


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = f"{PREFIX}{str(first['loc'][0]).upper()}"
    if first["type"] == "missing":
        wanted = {"site": "colo or cloud", "tokens_file": "the file that `understudy token add` writes"}
        return f"{name} is not set; set it to {wanted.get(str(first['loc'][0]), 'a value')}."
    if first["type"] == "extra_forbidden":
        return f"{name} is not a setting; remove it, or correct its name (docs/reference/policies.md lists them)."
    expected = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    value = "not usable" if first["loc"][0] == "store_url" else repr(first["input"])  # it may hold a password
    return f"{name} is {value}; {expected}."


def _refuse_half_tls(settings: Settings) -> None:
    if (settings.tls_certificate is None) == (settings.tls_key is None):
        return
    there, missing = ("CERTIFICATE", "KEY") if settings.tls_certificate else ("KEY", "CERTIFICATE")
    raise SettingsError(
        f"{PREFIX}TLS_{there} is set and {PREFIX}TLS_{missing} is not; set both, or none for plain HTTP on loopback."
    )


def _refuse_clear_text(settings: Settings) -> None:
    if settings.tls_certificate or settings.listen_in_clear or _loopback(settings.host):
        return
    raise SettingsError(
        f"{PREFIX}LISTEN is {settings.listen!r}, where others can read the tokens; set {PREFIX}TLS_CERTIFICATE and "
        f"{PREFIX}TLS_KEY, listen on 127.0.0.1, or say {PREFIX}LISTEN_IN_CLEAR={IN_SO_MANY_WORDS}."
    )


def _refuse_no_tokens(settings: Settings) -> None:
    if not settings.tokens_file.is_file():
        raise SettingsError(
            f"{PREFIX}TOKENS_FILE is {str(settings.tokens_file)!r}, and there is no such file; make it with "
            "`understudy token add NAME --scope alerts`."
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may mean any address
