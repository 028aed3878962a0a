"""The pages' languages: gettext catalogues, and numbers and times as people of the language write them. Owns babel."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency
from babel.support import NullTranslations, Translations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

LANGUAGES = ("ko", "en")
SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True)
class Language:
    """How to say things in a language."""

    code: str
    locale: Locale
    translations: NullTranslations

    def say(self, message: str, **values: object) -> str:
        """Translate a message, and fill in its values."""
        text = self.translations.gettext(message)
        return text.format(**values) if values else text

    def moment(self, value: datetime) -> str:
        """Write a date with its time, in Seoul."""
        pattern = "M월 d일 (E) HH:mm" if self.code == "ko" else "EEE d MMM, HH:mm"
        return format_datetime(value, pattern, tzinfo=SEOUL, locale=self.locale)

    def clock(self, value: datetime) -> str:
        """Write a time of day, in Seoul."""
        return format_time(value, "HH:mm", tzinfo=SEOUL, locale=self.locale)

    def day(self, value: date) -> str:
        """Write a day."""
        return format_date(value, "M월 d일 (E)" if self.code == "ko" else "EEE d MMM", locale=self.locale)

    def won(self, amount: int) -> str:
        """Write an amount of money."""
        return format_currency(amount, "KRW", locale=self.locale)


def load() -> dict[str, Language]:
    """Read the catalogues. English is the language of the sources and has none."""
    languages = {"en": Language("en", Locale("en"), NullTranslations())}
    for code in LANGUAGES:
        if code in languages:
            continue
        with files("booking.web").joinpath("locale", f"{code}.po").open("rb") as source:
            catalogue = read_po(source, locale=code)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        languages[code] = Language(code, Locale(code), Translations(compiled))
    return languages


def choose(asked: str | None, remembered: str | None, accepted: str) -> str:
    """Choose a language: asked for in the address, remembered, or accepted by the browser; Korean otherwise."""
    for code in (asked, remembered):
        if code in LANGUAGES:
            return code
    return negotiate_locale(list(_by_weight(accepted)), LANGUAGES, sep="-") or LANGUAGES[0]


def _by_weight(accepted: str) -> Iterable[str]:
    """Yield the languages of an Accept-Language header, best first, each also without its region."""
    weighed: list[tuple[float, int, str]] = []
    for order, part in enumerate(accepted.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.partition("=")[2]) if parameters else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, order, tag))
    for weight, _, tag in sorted(weighed):
        if weight:
            yield tag
            yield tag.partition("-")[0]
