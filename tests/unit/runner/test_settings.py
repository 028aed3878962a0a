"""The runner starts with settings that make sense, or says which one does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.errors import SettingsError
from runner.settings import Settings, load

TLS = {"UNDERSTUDY_TLS_CERTIFICATE": "/etc/c.pem", "UNDERSTUDY_TLS_KEY": "/etc/k.pem"}


@pytest.fixture
def needed(tmp_path: Path) -> dict[str, str]:
    tokens = tmp_path / "tokens.json"
    tokens.write_text("[]", encoding="utf-8")
    return {"UNDERSTUDY_SITE": "cloud", "UNDERSTUDY_TOKENS_FILE": str(tokens), "UNDERSTUDY_STATE_DIR": str(tmp_path)}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environment)
    return str(refused.value)


def test_the_defaults_are_safe(needed: dict[str, str], tmp_path: Path) -> None:
    settings = load(needed)
    assert (settings.host, settings.port) == ("127.0.0.1", 8700)
    assert settings.store == f"sqlite:///{tmp_path}/store.db"
    assert settings.inventory_path == Path("/opt/understudy/inventories/production")
    assert settings.lease_seconds == 4
    assert settings.node_id


def test_an_empty_variable_is_an_unset_one_and_those_of_others_are_left_alone(needed: dict[str, str]) -> None:
    more = {"UNDERSTUDY_TLS_KEY": "", "UNDERSTUDY_REACH_OVER": "site", "UNDERSTUDY_URL": "https://x", "HOME": "/root"}
    assert load(needed | more).tls_key is None


def test_only_the_environment_that_was_given_is_read(needed: dict[str, str]) -> None:
    code = f"from runner.settings import load; print(load({needed!r}).lease_seconds)"
    own = {**os.environ, "UNDERSTUDY_LEASE_SECONDS": "9"}
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4.0"


def test_the_stores_password_is_not_printed(needed: dict[str, str]) -> None:
    url = "postgresql://runner:hunter22@db/understudy"
    settings = load(needed | {"UNDERSTUDY_STORE_URL": url})
    assert settings.store == url
    assert "hunter22" not in repr(settings)
    assert "hunter22" not in refusal(needed | {"UNDERSTUDY_STORE_URL": url.replace("postgresql", "mysql")})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"UNDERSTUDY_SITE": "moon"}, "UNDERSTUDY_SITE is 'moon'; expected 'colo' or 'cloud'."),
        ({"UNDERSTUDY_SITE": ""}, "UNDERSTUDY_SITE is not set; set it to colo or cloud."),
        ({"UNDERSTUDY_TOKENS_FILE": ""}, "UNDERSTUDY_TOKENS_FILE is not set; set it to the file that"),
        ({"UNDERSTUDY_TOKENS_FILE": "/nowhere/t"}, "UNDERSTUDY_TOKENS_FILE is '/nowhere/t', and there is no such file"),
        ({"UNDERSTUDY_LISTEN": "8700"}, "UNDERSTUDY_LISTEN is '8700'; expected host:port"),
        ({"UNDERSTUDY_LISTEN": "::1:8700"}, "UNDERSTUDY_LISTEN is '::1:8700'; expected brackets"),
        ({"UNDERSTUDY_LISTEN": "127.0.0.1:0"}, "UNDERSTUDY_LISTEN is '127.0.0.1:0'; expected host:port"),
        (
            {"UNDERSTUDY_LISTEN": "0.0.0.0:8700"},
            "UNDERSTUDY_LISTEN is '0.0.0.0:8700', where others can read the tokens",
        ),
        ({"UNDERSTUDY_LISTEN_IN_CLEAR": "yes"}, "UNDERSTUDY_LISTEN_IN_CLEAR is 'yes'; expected "),
        ({"UNDERSTUDY_TLS_KEY": "/k"}, "UNDERSTUDY_TLS_KEY is set and UNDERSTUDY_TLS_CERTIFICATE is not; set both"),
        ({"UNDERSTUDY_TLS_CERTIFICATE": "/c"}, "UNDERSTUDY_TLS_CERTIFICATE is set and UNDERSTUDY_TLS_KEY is not"),
        ({"UNDERSTUDY_STATE_DIR": "state"}, "UNDERSTUDY_STATE_DIR is 'state'; expected an absolute path."),
        ({"UNDERSTUDY_STORE_URL": "sqlite:///x.db"}, "UNDERSTUDY_STORE_URL is not usable; expected sqlite:////path"),
        ({"UNDERSTUDY_LEASE_SECONDS": "1"}, "UNDERSTUDY_LEASE_SECONDS is '1'; expected greater than or equal to 2."),
        ({"UNDERSTUDY_KEEP_DAYS": "many"}, "UNDERSTUDY_KEEP_DAYS is 'many'; expected a valid integer"),
        ({"UNDERSTUDY_PUBLIC_URL": "x"}, "UNDERSTUDY_PUBLIC_URL is 'x'; "),
        ({"UNDERSTUDY_LISTN": "x:1"}, "UNDERSTUDY_LISTN is not a setting; remove it, or correct its name"),
    ],
)
def test_what_makes_no_sense_is_refused(needed: dict[str, str], wrong: dict[str, str], message: str) -> None:
    assert refusal(needed | wrong).startswith(message)


@pytest.mark.parametrize(
    "more",
    [
        {"UNDERSTUDY_LISTEN": "[::1]:8700"},
        {"UNDERSTUDY_LISTEN": "localhost:1"},
        {"UNDERSTUDY_LISTEN": "0.0.0.0:8700", **TLS},
        {"UNDERSTUDY_LISTEN": "10.0.0.1:8700", "UNDERSTUDY_LISTEN_IN_CLEAR": "yes-tokens-travel-in-clear"},
    ],
)
def test_loopback_tls_or_so_many_words_let_it_listen(needed: dict[str, str], more: dict[str, str]) -> None:
    assert isinstance(load(needed | more), Settings)
