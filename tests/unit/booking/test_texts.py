"""Every sentence of the pages exists in Korean."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from booking.web import texts
from jinja2 import Environment

import booking

SOURCES = Path(booking.__file__).parent


def sentences() -> set[str]:
    """Collect what templates say, and the sentences of refusals and problems."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found = {
        message
        for path in (SOURCES / "web/templates").glob("*.html")
        for _, _, message in environment.extract_translations(path.read_text("utf-8"))  # type: ignore[attr-defined]
        if isinstance(message, str)
    }
    for path in [SOURCES / "errors.py", *(SOURCES / "service").glob("*.py"), *(SOURCES / "web").glob("pa*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Refusal"), args=[_, ast.Constant(value=str(sentence)), *_]):
                    found.add(sentence)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(sentence))) if name.isupper():
                    found |= {sentence} if sentence.endswith(".") else set()
    return found


def test_every_sentence_is_translated() -> None:
    korean = texts.load()["ko"]
    collected = sentences()
    assert len(collected) > 50
    assert {sentence for sentence in collected if korean.translations.gettext(sentence) == sentence} == set()


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "chosen"),
    [
        ("en", "ko", "ko", "en"),
        (None, "en", "ko", "en"),
        ("xx", None, "en-GB,en;q=0.9,ko;q=0.8", "en"),
        (None, None, "de-DE,en;q=0.3,ko;q=0.7", "ko"),
        (None, None, "fr", "ko"),
        (None, None, "", "ko"),
        (None, None, "en;q=zero, ;;;", "ko"),
    ],
)
def test_the_language_is_asked_for_remembered_or_accepted(
    asked: str | None, remembered: str | None, accepted: str, chosen: str
) -> None:
    assert texts.choose(asked, remembered, accepted) == chosen


def test_numbers_and_times_are_written_as_the_language_does() -> None:
    languages = texts.load()
    moment = datetime(2026, 11, 28, 10, 5, tzinfo=UTC)
    assert (languages["ko"].won(14_000), languages["en"].won(14_000)) == ("₩14,000", "₩14,000")
    assert languages["ko"].moment(moment) == "11월 28일 (토) 19:05"
    assert languages["en"].moment(moment) == "Sat 28 Nov, 19:05"
