"""Settings from the environment: BOOKING_NAME, or BOOKING_NAME_FILE for a file that holds the value."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "BOOKING_"


class Settings(BaseSettings):
    """Everything an operator can set; times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1, le=200)
    gateway_url: str = "http://127.0.0.1:8443"
    gateway_secret: SecretStr
    gateway_ca_file: Path | None = None
    gateway_timeout_seconds: float = Field(default=2.0, gt=0)
    request_limit_seconds: float = Field(default=3.0, ge=0.5)
    hold_seconds: int = Field(default=300, ge=1)
    queue_limit: int = Field(default=64, ge=1)
    queue_patience_seconds: float = Field(default=1.0, ge=0)
    settle_interval_seconds: float = Field(default=1.0, gt=0)
    settle_grace_seconds: float = Field(default=10.0, gt=0)
    compare_interval_seconds: float = Field(default=30.0, gt=0)
    orphan_seconds: float = Field(default=120.0, ge=0)
    site_name: str = Field(default_factory=socket.gethostname)
    public_url: str = ""
    secret_key: SecretStr


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings; a variable wins over its _FILE twin, an override over both.

    Raises pydantic.ValidationError.
    """
    variables = os.environ if environment is None else environment
    found = {name: value for name in Settings.model_fields if (value := _value(name, variables)) is not None}
    return Settings(**(found | overrides))


def database_url(environment: Mapping[str, str] | None = None) -> str:
    """Read where the database is, and nothing else; an empty string when nothing says it."""
    return _value("database_url", os.environ if environment is None else environment) or ""


def _value(name: str, variables: Mapping[str, str]) -> str | None:
    variable = f"{PREFIX}{name.upper()}"
    if variable in variables:
        return variables[variable]
    if f"{variable}_FILE" in variables:
        return Path(variables[f"{variable}_FILE"]).read_text(encoding="utf-8").strip()
    return None
