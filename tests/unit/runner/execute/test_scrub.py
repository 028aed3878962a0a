from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.execute.scrub import SHORTEST, scrubber

SECRET = "pass/phrase with \"quotes\" & 'more' 비밀"


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        yaml.safe_dump({"x": SECRET}, width=12, allow_unicode=True),
    ],
)
def test_a_secret_is_recognised_in_other_clothes(shown: str) -> None:
    clean = scrubber([SECRET])(f"before {shown} after")
    assert "***" in clean
    assert "phrase" not in clean


def test_each_line_of_a_key_is_hidden() -> None:
    key = "-----BEGIN KEY-----\nfirstline\nsecondline\n-----END KEY-----\n"
    assert scrubber([key])("got secondline") == "got ***"
    assert scrubber([key])("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_words_shorter_than_a_secret_stay_readable() -> None:
    assert scrubber(["was1", ""])("was1 is up") == "was1 is up"


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    assert scrubber(["secret", "secret-and-more"])("secret-and-more") == "***"


@given(st.text(min_size=SHORTEST).filter(lambda text: len("".join(text.split())) >= SHORTEST), st.text(), st.text())
def test_no_secret_gets_through(secret: str, before: str, after: str) -> None:
    clean = scrubber([secret])(before + secret + after)
    assert clean == "***" or secret not in clean or secret in (before + "***" + after)
