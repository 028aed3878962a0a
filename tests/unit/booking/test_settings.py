"""Settings come from variables, or from the files that they name."""

from __future__ import annotations

from pathlib import Path

import pytest
from booking.settings import load
from pydantic import ValidationError

NEEDED = {"BOOKING_DATABASE_URL": "postgresql://x", "BOOKING_GATEWAY_SECRET": "s", "BOOKING_SECRET_KEY": "k"}


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from-file\n")
    variables = {**NEEDED, "BOOKING_DATABASE_URL_FILE": str(tmp_path / "url")}
    assert load(variables).database_url.get_secret_value() == "postgresql://x"
    del variables["BOOKING_DATABASE_URL"]
    assert load(variables).database_url.get_secret_value() == "postgresql://from-file"


def test_a_setting_that_is_itself_a_file_is_not_read(tmp_path: Path) -> None:
    assert load({**NEEDED, "BOOKING_GATEWAY_CA_FILE": "/etc/ca.crt"}).gateway_ca_file == Path("/etc/ca.crt")


def test_secrets_are_not_printed() -> None:
    assert "postgresql://x" not in repr(load(NEEDED))


@pytest.mark.parametrize("wrong", [{"BOOKING_HOLD_SECONDS": "0"}, {"BOOKING_QUEUE_LIMIT": "many"}])
def test_wrong_values_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        load(NEEDED | wrong)
    with pytest.raises(ValidationError):
        load({})
