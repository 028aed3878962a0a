"""Turn templates into pages in the visitor's language. Owns jinja2."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from booking.web import texts

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from booking.web.texts import Language

LANGUAGE_COOKIE = "lang"
STYLE = "/static/style.css"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would send forms with Origin: null
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}


class Pages:
    """Renders pages."""

    def __init__(self, *, secure_cookies: bool) -> None:
        self.secure_cookies = secure_cookies
        self._languages = texts.load()
        self.style = files("booking.web").joinpath("static", "style.css").read_bytes()
        self._environments = {code: self._environment(language) for code, language in self._languages.items()}

    @staticmethod
    def _environment(language: Language) -> Environment:
        environment = Environment(
            loader=PackageLoader("booking.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(_=language.say, language=language, lang=language.code)
        environment.filters.update(
            moment=language.moment,
            clock=language.clock,
            day=language.day,
            won=language.won,
            named=_named(language.code),
        )
        return environment

    def language(self, request: Request) -> Language:
        """Return the visitor's language."""
        remembered = request.cookies.get(LANGUAGE_COOKIE)
        accepted = request.headers.get("accept-language", "")
        return self._languages[texts.choose(request.query_params.get("lang"), remembered, accepted)]

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page; asked for in a language, the browser remembers it."""
        language = self.language(request)
        source = self._environments[language.code].get_template(template)
        html = source.render(switches=_switches(request), **{"again": "", **values})
        answer = HTMLResponse(html, status, _HEADERS)
        if request.query_params.get("lang") == language.code:
            answer.set_cookie(
                LANGUAGE_COOKIE,
                language.code,
                max_age=31_536_000,
                samesite="lax",
                secure=self.secure_cookies,
                httponly=True,
            )
        return answer

    def message(
        self, request: Request, status: int, title: str, text: str, retry_after_seconds: float | None = None
    ) -> Response:
        """Return a page that says one thing; with a retry time, reading pages try again by themselves."""
        retry = request.method == "GET" and retry_after_seconds is not None
        target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        refresh = f"{math.ceil(retry_after_seconds or 1)}; url={target}" if retry else ""
        answer = self.render(request, "message.html", status, title=title, text=text, again=refresh)
        if retry_after_seconds is not None:
            answer.headers["Retry-After"] = str(math.ceil(retry_after_seconds))
        return answer


def _named(code: str) -> Any:
    """Make the filter that reads a thing's name, title or city in a language."""

    def named(thing: Any, what: str = "name") -> str:
        return str(getattr(thing, f"{what}_{code}"))

    return named


def _switches(request: Request) -> list[tuple[str, str]]:
    """Return (language, address of this page in it); pages that answer a form lead to the form's own page."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    path = request.url.path if request.method in {"GET", "HEAD"} else "/"
    return [(code, f"{path}?{urlencode([*kept, ('lang', code)])}") for code in texts.LANGUAGES]
