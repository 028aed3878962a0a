"""Write docs/reference/api.md from the OpenAPI document and the metrics themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from runner.model import Capacity, JobState, Verdict
from runner.service.figures import Figures
from runner.web import intake
from runner.web.access import LARGEST_BODY_BYTES
from runner.web.app import api_of
from runner.web.metrics import Source
from runner.web.stories import MOST_FOLLOWERS, Pace
from runner.web.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.web.desk import Desk
    from runner.web.stories import Stories

ERRORS = {
    "400": "`bad_request`; of alerts `invalid_request`",
    "401": "`unauthorised`",
    "403": "`forbidden`",
    "404": "`not_found`",
    "409": "`refused`; of `POST /jobs` also `held`, `not_ours`",
    "413": "`too_large`",
    "415": "`unsupported_media_type`",
    "422": "`invalid_request`",
    "500": "`internal`",
    "503": "`store_unavailable`; of streams also `busy`",
}
METHOD_NOT_ALLOWED = "| 405 | `method_not_allowed` | The header `Allow` names the methods that the address takes. |"
_SCOPE = re.compile(r"lacks the scope (\w+)")
_PACE = Pace()
HEAD = f"""# The runner's API

Generated from `runner/web` by `make docs`; a test fails when this page is stale. `GET /openapi.json` gives the whole
document, with every shape, to whoever has a token.

- `Authorization: Bearer ...` with every request but those whose scope is `none`. `understudy token add NAME --scope
  SCOPE` makes a token; scope `admin` covers all. The tokens file is read anew when it changes.
- Bodies are JSON, up to {LARGEST_BODY_BYTES // 1024} KiB, of alerts up to {intake.LARGEST_BODY // 2**20} MiB. In them,
  a field that is not known is refused, but not in alerts. Times are UTC.
- An error is `{{"error": {{"code": "...", "message": "..."}}}}`: a code for programs, a sentence for people.
- 503 means that nothing was kept; repeat it after `Retry-After` seconds.
- Lists are newest first. `before` of an answer, passed as the parameter `before`, reads on; null: this was the end.
- A stream (`Accept: text/event-stream`) sends each event with its number as `id`, a comment after
  {_PACE.heartbeat_seconds:.0f} silent seconds, and `event: end` with the job when all is told. One that ends without it
  was interrupted: go on with `Last-Event-ID`. At most {MOST_FOLLOWERS} are open at once, each at most
  {_PACE.longest_stream_seconds / 60:.0f} minutes.

## Addresses

401, 403 and 500 belong to every address with a scope and are not repeated here.

| address | scope | what | answers |
|---|---|---|---|
"""
METRICS = """## Metrics

`GET /metrics` is made from the store at the moment of the scrape. What is unknown is missing, not 0; without the store
`understudy_runner_store_up` is 0 and only what this process knows is there. The process's own are
`understudy_runner_process_...`.

| metric | kind | labels | what |
|---|---|---|---|
"""


def page() -> str:
    """Write the whole page."""
    # Neither the desk nor the stories are asked anything to make the document.
    document = api_of(cast("Desk", None), bytes, cast("Stories", None), "any").openapi()
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [
        HEAD + "\n".join(_address(name, operation) for name, operation in operations),
        "## Parameters\n\n| address | parameter | default | what |\n|---|---|---|---|\n"
        + "\n".join(row for name, operation in operations for row in _parameters(name, operation)),
        "## Bodies\n\n| address | field | what |\n|---|---|---|\n"
        + "\n".join(row for name, operation in operations for row in _body(name, operation, document)),
        "## Errors\n\n| status | code | means |\n|---|---|---|\n" + "\n".join(_errors(operations)),
        METRICS + "\n".join(_metrics()),
    ]
    return "\n\n".join(parts) + "\n"


def _address(name: str, operation: dict[str, Any]) -> str:
    answers = operation["responses"]
    found = _SCOPE.search(answers.get("403", {}).get("description", ""))
    scope = f"`{found[1]}`" if found else "none"
    about = " ".join(operation["description"].split())
    repeated = {"401", "403", "500"} if found else set()
    return f"| `{name}` | {scope} | {about} | {', '.join(sorted(set(answers) - repeated))} |"


def _parameters(name: str, operation: dict[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", []):
        if each["in"] == "path" or "description" not in each:
            continue
        schema = each["schema"]
        default = f"`{str(schema['default']).lower()}`" if "default" in schema else ""
        shown = each["name"].title().replace("-Id", "-ID") if each["in"] == "header" else each["name"]
        kind = " (header)" if each["in"] == "header" else ""
        bounds = f" {schema['minimum']} to {schema['maximum']}." if "default" in schema and "maximum" in schema else ""
        yield f"| `{name}` | `{shown}`{kind} | {default} | {each['description']}{bounds} |".replace("|  |", "| |")


def _body(name: str, operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    if "requestBody" not in operation:
        return
    reference = operation["requestBody"]["content"]["application/json"]["schema"].get("$ref")
    if reference is None:
        return  # alerts: the senders' own shape
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    for field, about in schema["properties"].items():
        kind = about.get("type", "")
        needed = "required" if field in schema.get("required", ()) else f"default `{_json(about.get('default'))}`"
        longest = f", up to {about['maxLength']} characters" if "maxLength" in about else ""
        yield f"| `{name}` | `{field}` | {kind}, {needed}{longest} |"


def _json(value: object) -> str:
    return {"": '""', "False": "false"}.get(str(value), str(value))


def _errors(operations: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    means: dict[str, str] = {}
    for _, operation in operations:
        for status, answer in operation["responses"].items():
            if status >= "400":
                means.setdefault(status, answer["description"])
    means["403"] = "The token lacks the scope that this needs."
    for status in sorted(means):
        yield f"| {status} | {ERRORS[status]} | {means[status]} |"
        if status == "404":
            yield METHOD_NOT_ALLOWED


class _Example:
    """A desk of which only the metrics are asked; everything in it is known, so that every metric is there."""

    followers = 0

    def figures(self) -> Figures:
        return Figures(
            jobs=dict.fromkeys(JobState, 0),
            ledger=dict.fromkeys(Verdict, 0),
            unjudged=0,
            oldest_unjudged_seconds=0.0,
            capacity=Capacity(0, 0, 0.0, stale=False, allowed=0),
            planned_servers=0,
            brake_on=False,
            heartbeat="Watchdog",
            heartbeat_seconds=0.0,
            notifications_pending=0,
            workers_alive=0,
            rules_refused=False,
        )


def _metrics() -> Iterator[str]:
    traffic = Traffic()
    traffic.answered("/jobs", "GET", 200)
    example = _Example()
    for family in Source(cast("Desk", example), traffic, cast("Stories", example), "").collect():
        labels = list(dict.fromkeys(label for sample in family.samples for label in sample.labels if label != "le"))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = ", ".join(f"`{label}`" for label in labels)
        yield f"| `{name}` | {family.type} | {shown} | {family.documentation} |".replace("|  |", "| |")
