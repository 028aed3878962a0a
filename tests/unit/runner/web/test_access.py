"""The gate in front of the API: who gets in, how much a body may hold, and what each error looks like."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from runner import tokens
from runner.errors import Refused, StoreUnavailable
from runner.web import access, problems, shapes

if TYPE_CHECKING:
    from pathlib import Path

ANN = tokens.make(secrets.token_bytes)
WITH_TOKEN = {"Authorization": f"Bearer {ANN}"}


def house(path: Path) -> Any:
    """An API with one route per outcome, behind the gate; ann may operate."""
    tokens.save(path / "tokens.json", tokens.added((), "ann", frozenset({"operate"}), ANN))
    app = FastAPI()
    problems.add_to(app)

    def write(body: shapes.BrakeRequest, who: access.Operator) -> str:
        return f"{who} {body.on}"

    def read(who: access.Reader) -> str:
        return who

    def refuse(who: access.Operator) -> str:
        raise Refused(f"{who}, not now")

    def fail(who: access.Operator) -> str:
        raise StoreUnavailable(f"{who}, the disk is full")

    # FastAPI reads annotations from the module; these are made here, so it is told their types.
    for function in (write, read, refuse, fail):
        for name, kind in {"body": shapes.BrakeRequest, "who": access.Operator}.items():
            if name in function.__annotations__:
                function.__annotations__[name] = kind if function is not read else access.Reader
        app.add_api_route(f"/{function.__name__}", function, methods=["POST" if function is write else "GET"])
    return access.Gate(access.BodyLimit(app), tokens.Keyring(path / "tokens.json", lambda: datetime.now(UTC)).holder)


def answer(path: Path, method: str, url: str, **sent: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=house(path), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://runner") as client:
            return await client.request(method, url, **sent)

    return asyncio.run(ask())


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}])
@pytest.mark.parametrize("url", ["/read", "/nowhere"])
def test_nothing_is_told_without_a_token(tmp_path: Path, url: str, headers: dict[str, str]) -> None:
    assert answer(tmp_path, "GET", url, headers=headers).status_code == 401


@pytest.mark.parametrize(("method", "url", "sent", "status"), [
    ("GET", "/read", {}, 403),
    ("GET", "/refuse", {}, 409),
    ("GET", "/fail", {}, 503),
    ("GET", "/nowhere", {}, 404),
    ("DELETE", "/read", {}, 405),
    ("POST", "/write", {"json": {"on": 1}}, 422),
    ("POST", "/write", {"json": {"on": True, "surprise": 1}}, 422),
    ("POST", "/write", {"content": b"x" * 70_000}, 413),
])  # fmt: skip
def test_every_error_has_the_one_shape(
    tmp_path: Path, method: str, url: str, sent: dict[str, Any], status: int
) -> None:
    got = answer(tmp_path, method, url, headers=WITH_TOKEN, **sent)
    assert got.status_code == status
    assert set(got.json()["error"]) >= {"code", "message"}


def test_a_body_without_a_length_is_limited_too(tmp_path: Path) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b"x" * 8192

    assert answer(tmp_path, "POST", "/write", headers=WITH_TOKEN, content=endless()).status_code == 413


def test_who_may_gets_through(tmp_path: Path) -> None:
    got = answer(tmp_path, "POST", "/write", headers=WITH_TOKEN, json={"on": True, "reason": "storm"})
    assert (got.status_code, got.json()) == (200, "ann True")
