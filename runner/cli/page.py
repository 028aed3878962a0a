"""Write docs/reference/cli.md from the command itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from runner.cli.main import app
from runner.cli.session import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "understudy"
HEAD = f"""# The command `{NAME}`

Generated from `runner/cli` by `make docs`; a test fails when this page is stale.

| exit code | means |
|---|---|
| 0 | done; of `follow` and `submit --follow`: the job succeeded |
| 1 | refused or failed, also the job that was followed; `doctor` found a problem; a part of `serve` died |
| 2 | wrong usage, or a setting, token or policy file that cannot be used; nothing was done |
| 3 | the runner cannot be reached, or cannot now: repeat it |

- Commands that ask the API read `UNDERSTUDY_URL` (default `{DEFAULT_URL}`), `UNDERSTUDY_TOKEN_FILE` (the token
  alone; a file that others can read is refused) and `UNDERSTUDY_CA_FILE`. `serve`, `doctor`, `token` and `decide` read
  the [settings](policies.md#settings).
- `--json` writes the API's JSON to standard output and nothing else; of `follow` one event a line. Errors are
  sentences on standard error.
- Times are in the zone of whoever reads (`TZ`). Nothing is coloured where standard output is no terminal.
- What cannot be taken back is asked about on a terminal; `--yes` says yes. Without a terminal nothing is asked.
- `serve` is ready, and tells systemd (`Type=notify`), when the API answers and the worker has its place. On SIGTERM
  the worker takes nothing new and what runs may end within 30 s; alerts are taken until then. A second signal does not
  wait. What is interrupted goes on at the next start. When one part dies, the other is ended too, with exit code 1.
- `{NAME} --install-completion` completes commands, actions and their variables in bash, zsh and fish.
"""


def page() -> str:
    """Write the whole page."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name=NAME)
    general = [f"\n## {NAME}", *_table(command, context)]
    return HEAD + "\n".join([*general, *_chapters(command, context, NAME)]) + "\n"


def _chapters(group: Any, context: Any, before: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        whole = f"{before} {name}"
        if hasattr(command, "list_commands"):
            yield from _chapters(command, context, whole)
            continue
        usage = " ".join(
            [whole, *(each.replace("{", "").replace("}", "") for each in command.collect_usage_pieces(context))]
        )
        about = " ".join((command.help or "").split())
        yield from (f"\n## {whole}\n", about, f"\n```\n{usage}\n```")
        yield from _table(command, context)


def _table(command: Any, context: Any) -> list[str]:
    rows = []
    for each in command.get_params(context):
        record = each.get_help_record(context)
        if record is not None and "--help" not in each.opts:
            written, about = (_plain(part) for part in record)
            rows.append(f"| `{written}` | {about} |")
    return ["", "| | |", "|---|---|", *rows] if rows else []


def _plain(text: str) -> str:
    """Write what a terminal shows so that a table of Markdown can hold it."""
    single = re.sub(r"<list\[(.*)\]>", r"<\1>", text)
    return " ".join(single.replace("|", ", ").replace("  [", " [").split())
