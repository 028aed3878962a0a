"""A runner's API that answers what a test says, and the command called against it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.cli.main import main
from runner.cli.session import Surroundings

NOW = datetime(2026, 11, 25, 8, 42, 10, tzinfo=UTC)
TOKEN = "us_a-token-of-these-tests"
JOB = {
    "id": "20261125-0839-scale_out-4f2a",
    "action": "scale_out",
    "target": "capacity",
    "variables": {"wanted_servers": 4},
    "state": "succeeded",
    "reason": "BookingSlow fires (policy crowd): scale_out from 2 to 4 servers.",
    "requested_by": "policy:crowd",
    "created_at": "2026-11-25T08:39:10Z",
    "approvals_needed": 1,
    "approved_by": ["kim"],
    "started_at": "2026-11-25T08:39:11Z",
    "ended_at": "2026-11-25T08:39:32.5Z",
    "attempt": 1,
    "node": "cloud-ops1",
    "outcome": "4 burst servers serve.",
    "acknowledged_by": None,
}
DECISION = {
    "verdict": "run", "reason": "me asked for it: scale_out from 2 to 4 servers.", "policy": None,
    "action": "scale_out", "target": "capacity", "variables": {"wanted_servers": 4}, "approvals": 0, "until": None,
}  # fmt: skip

OFF_BODY: dict[str, Any] = {"on": False, "reason": None, "by": None, "since": None}

type Reply = httpx.Response | Callable[[httpx.Request], httpx.Response]


def event(number: int, kind: str = "ok", **more: object) -> dict[str, Any]:
    at = (NOW - timedelta(seconds=20 - number)).isoformat()
    return {
        "job_id": JOB["id"],
        "number": number,
        "at": at,
        "kind": kind,
        "text": "",
        "host": None,
        "task": None,
    } | more


def stream(*events: dict[str, Any], end: dict[str, Any] | None = None) -> httpx.Response:
    text = ": hello\n\n" + "".join(f"id: {each['number']}\ndata: {json.dumps(each)}\n\n" for each in events)
    if end is not None:
        text += f"event: end\ndata: {json.dumps(end)}\n\n"
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


def problem(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """All output on one line, frames of usage errors taken away."""
        return " ".join((self.out + self.err).replace("│", " ").split())


@dataclasses.dataclass
class Desk:
    """`replies`: method and path -> what is answered, one after the other; the last one again and again."""

    token_file: Path
    capsys: pytest.CaptureFixture[str]
    replies: dict[str, list[Reply]] = dataclasses.field(default_factory=dict)
    asked: list[httpx.Request] = dataclasses.field(default_factory=list)
    questions: list[str] = dataclasses.field(default_factory=list)
    waits: list[float] = dataclasses.field(default_factory=list)
    yes: bool | None = None  # what a person says; None: there is no terminal

    def answers(self, what: str, *replies: Reply | Mapping[str, Any] | list[Any]) -> None:
        self.replies[what] = [
            each if isinstance(each, httpx.Response) or callable(each) else httpx.Response(200, json=each)
            for each in replies
        ]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        waiting = self.replies[f"{request.method} {request.url.path}"]
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def _ask(self, question: str) -> bool:
        self.questions.append(question)
        return bool(self.yes)

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Result:
        around = Surroundings(
            {
                "UNDERSTUDY_TOKEN_FILE": str(self.token_file),
                "UNDERSTUDY_URL": "http://runner:8700",
                **(environment or {}),
            },
            clock=lambda: NOW,
            zone=UTC,
            ask=None if self.yes is None else self._ask,
            wait=self.waits.append,
            transport=httpx.MockTransport(self._handle),
        )
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments), around)
        told = self.capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, told.out, told.err)
