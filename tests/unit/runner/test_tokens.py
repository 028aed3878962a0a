"""Tokens: what the file keeps, who gets in, and which files are refused."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from runner import tokens
from runner.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 12, 24, 18, tzinfo=UTC)
ANN, BOB = tokens.make(secrets.token_bytes), tokens.make(secrets.token_bytes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    both = tokens.added(tokens.added((), "ann", frozenset({"operate"}), ANN), "bob", frozenset({"read"}), BOB)
    tokens.save(tmp_path / "tokens.json", both)
    return tmp_path / "tokens.json"


def test_the_file_keeps_digests_only_and_is_its_owners_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert ANN not in file.read_text()
    assert BOB not in file.read_text()


def test_a_token_opens_its_own_scope_and_no_other(file: Path) -> None:
    keyring = tokens.Keyring(file, lambda: NOW)
    ann = keyring.holder(ANN.encode())
    assert ann is not None
    assert (ann.name, ann.may("operate"), ann.may("read")) == ("ann", True, False)
    assert keyring.holder(b"guessed") is None


def test_a_token_ends_with_its_time(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    tokens.save(file, tokens.added((), "ann", frozenset({"read"}), ANN, NOW + timedelta(days=1)))
    assert tokens.Keyring(file, lambda: NOW).holder(ANN.encode()) is not None
    assert tokens.Keyring(file, lambda: NOW + timedelta(days=2)).holder(ANN.encode()) is None


def test_a_removed_token_is_refused_at_once_by_a_running_service(file: Path) -> None:
    keyring = tokens.Keyring(file, lambda: NOW)
    assert keyring.holder(BOB.encode()) is not None
    tokens.save(file, tokens.removed(tokens.load(file), "bob"))
    assert keyring.holder(BOB.encode()) is None


def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="has mode 0644"):
        tokens.load(file)


@pytest.mark.parametrize("text", [
    "{}", "[]", '{"tokens": [1]}',
    '{"tokens": [{"name": "a", "scopes": ["x"], "sha256": "00"}]}',
    '{"tokens": [{"name": "a", "scopes": ["read"], "sha256": "00"}]}',
])  # fmt: skip
def test_a_broken_file_is_refused_and_named(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"tokens\.json"):
        tokens.load(file)
