"""The OpenAPI document is complete, and what it says about tokens is true of every address."""

from __future__ import annotations

from typing import Any

import pytest

from runner.tokens import SCOPES
from tests.unit.runner.web.desks import MemoryDesk, ask

DOCUMENT: dict[str, Any] = ask(MemoryDesk(), "GET", "/openapi.json", "read").json()
OPEN = {"/healthz", "/readyz"}
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
GUARDED = [each for each in OPERATIONS if each.values[1] not in OPEN]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_address_says_what_it_does_and_what_can_go_wrong(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"].strip().endswith(".")
    expected = {"500"} if path in OPEN else {"401", "403", "500"}
    expected |= {"503"} if path not in {"/healthz", "/metrics"} else set()
    expected |= {"400", "413"} if "requestBody" in operation else set()
    expected |= {"404"} if "{" in path else set()
    expected |= {"422"} if operation.get("parameters") else set()
    assert expected <= set(operation["responses"])
    for status, answer in operation["responses"].items():
        contents: list[dict[str, Any]] = list(answer.get("content", {}).values())
        schema = contents[0].get("schema") if contents else None
        if status >= "400" and (path, status) != ("/readyz", "503"):
            assert schema == {"$ref": "#/components/schemas/Failure"}, status
            assert set(answer["content"]) == {"application/json"}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_bodies_have_examples_and_parameters_descriptions(method: str, path: str, operation: dict[str, Any]) -> None:
    for each in operation.get("parameters", []):
        assert each.get("description"), each["name"]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        named = content["schema"].get("$ref", "").rpartition("/")[2]
        assert content.get("example") or DOCUMENT["components"]["schemas"][named]["examples"]


@pytest.mark.parametrize(("method", "path", "operation"), GUARDED)
def test_without_a_known_token_nothing_is_told_or_done(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["security"] == [{"token": []}]
    desk = MemoryDesk()
    for scope in (None, "guessed"):
        found = ask(desk, method, path.replace("{job_id}", "j1"), scope)
        assert found.status_code == 401
        assert found.headers["www-authenticate"] == "Bearer"
    assert desk.asked == []


@pytest.mark.parametrize(("method", "path", "operation"), GUARDED)
def test_a_token_opens_an_address_by_its_scope_alone(method: str, path: str, operation: dict[str, Any]) -> None:
    """The scope that the document names lets through; every other but admin is refused."""
    named = operation["responses"]["403"]["description"].removeprefix("The token lacks the scope ").rstrip(".")
    assert named in SCOPES
    body = {"json": {"on": False, "action": "x"}} if "requestBody" in operation else {}
    for scope in SCOPES:
        status = ask(MemoryDesk(), method, path.replace("{job_id}", "j1"), scope, **body).status_code
        assert (status != 403) == (scope in {named, "admin"}), (scope, status)


@pytest.mark.parametrize("path", ["/openapi.json", "/nowhere", "/docs"])
def test_what_is_not_in_the_document_needs_a_token_too(path: str) -> None:
    assert ask(MemoryDesk(), "GET", path, None).status_code == 401
