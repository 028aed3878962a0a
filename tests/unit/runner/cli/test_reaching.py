"""How the API is reached: address, token, time limits, and what is said when it is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.unit.runner.cli.desk import OFF_BODY, Desk, problem


def raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def reply(_request: httpx.Request) -> httpx.Response:
        raise error

    return reply


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_token_file_that_others_can_read_is_refused(desk: Desk, mode: int) -> None:
    desk.token_file.chmod(mode)
    shown = desk.run("brake")
    assert shown.code == 2
    assert f"has mode {mode:04o}, so others can use it: chmod 0600 {desk.token_file}." in shown.err


@pytest.mark.parametrize("text", ["", "two tokens", "two\ntokens", "t\x1bken", "토큰"])
def test_a_token_file_that_holds_no_token_is_refused(desk: Desk, text: str) -> None:
    desk.token_file.write_text(text)
    assert "does not hold one token" in desk.run("brake").err


def test_without_a_token_file_it_is_said_how_to_name_one(desk: Desk, tmp_path: Path) -> None:
    shown = desk.run("brake", environment={"UNDERSTUDY_TOKEN_FILE": ""})
    assert (shown.code, "set UNDERSTUDY_TOKEN_FILE" in shown.err) == (2, True)
    shown = desk.run("brake", environment={"UNDERSTUDY_TOKEN_FILE": str(tmp_path / "none")})
    assert (shown.code, "cannot be read" in shown.err) == (2, True)


def test_options_stand_above_the_environment(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("another")
    other.chmod(0o600)
    desk.answers("GET /brake", OFF_BODY)
    assert desk.run("--url", "http://elsewhere:1/", "--token-file", str(other), "brake").code == 0
    assert str(desk.asked[0].url) == "http://elsewhere:1/brake"
    assert desk.asked[0].headers["authorization"] == "Bearer another"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "http://runner:8700 cannot be reached ([Errno 111]"),
        (httpx.ReadTimeout("too slow"), "http://runner:8700 did not answer in time; check"),
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
            "The certificate of http://runner:8700 is not trusted",
        ),
    ],
)
def test_a_runner_that_is_not_reached_is_exit_code_3_and_what_to_check(
    desk: Desk, error: Exception, message: str
) -> None:
    desk.answers("GET /brake", raising(error))
    shown = desk.run("brake")
    assert (shown.code, shown.out) == (3, "")
    assert shown.err.startswith(message)


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (problem(401, "unauthorised", "This token is not known."), 1, "This token is not known."),
        (problem(403, "forbidden", "The token me lacks the scope read."), 1, "The token me lacks the scope read."),
        (problem(422, "invalid_request", "query.hours: too many."), 2, "query.hours: too many."),
        (problem(500, "internal", "Something went wrong on our side."), 1, "Something went wrong on our side."),
        (httpx.Response(502, text="<html>"), 3, "http://runner:8700 answered 502, and not as a runner does"),
        (httpx.Response(404, json=["no"]), 1, "http://runner:8700 answered 404, and not as a runner does"),
        (httpx.Response(200, text="<html>"), 1, "http://runner:8700 did not answer with JSON"),
    ],
)
def test_an_error_of_the_api_is_its_sentence(desk: Desk, reply: httpx.Response, code: int, message: str) -> None:
    desk.answers("GET /brake", reply)
    shown = desk.run("brake", "--json")
    assert (shown.code, shown.out) == (code, "")
    assert shown.err.startswith(message)


@pytest.mark.parametrize("url", ["runner:8700", "ftp://runner", "http://[::1"])
def test_a_url_that_makes_no_sense_is_wrong_usage(desk: Desk, url: str) -> None:
    shown = desk.run("--url", url, "brake")
    assert shown.code == 2
    assert "cannot be used" in shown.err


def test_a_ca_file_that_holds_no_certificate_is_wrong_usage(desk: Desk) -> None:
    shown = desk.run("--url", "https://runner:8700", "--ca-file", str(desk.token_file), "brake")
    assert shown.code == 2
    assert "check UNDERSTUDY_CA_FILE" in shown.err


def test_an_unknown_command_is_wrong_usage(desk: Desk) -> None:
    assert desk.run("scale").code == 2


def test_commands_that_ask_the_api_load_neither_the_engine_nor_ansible_nor_the_server() -> None:
    code = (
        "import sys\nfrom runner.cli.main import main\n"
        "try: main(['jobs'])\nexcept SystemExit: pass\n"
        "print(*sorted({n.split('.')[0] for n in sys.modules} & {'httpx','dbos','ansible','ansible_runner','fastapi',"
        "'sqlalchemy','granian','holidays','apprise'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["httpx"]
