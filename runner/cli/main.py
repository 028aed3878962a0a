"""The command `understudy`: its options, its commands, and what its exit codes mean."""

from __future__ import annotations

import os
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from runner.cli import deciding, drill, evidence, jobs, looking, token_file
from runner.cli.session import DEFAULT_SECONDS, DEFAULT_URL, Surroundings, Unreachable, opened
from runner.cli.words import AsJson  # noqa: TC001 - typer reads the annotations
from runner.errors import InvalidRequest, PolicyError, RunnerError, SettingsError, StoreUnavailable

OK, FAILED, WRONG_USAGE, UNREACHABLE = range(4)
INTERRUPTED = 130
ABOUT = """Ask the runner, tell it what to do, or be it.

Exit codes: 0 done; 1 refused or failed, also the job that was followed; 2 wrong usage, or a setting or file that cannot
be used; 3 the runner cannot be reached, or cannot now.
"""

app = typer.Typer(no_args_is_help=True, help=ABOUT, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def connect(
    context: typer.Context,
    *,
    url: Annotated[str | None, typer.Option(help=f"where the runner is: UNDERSTUDY_URL, else {DEFAULT_URL}")] = None,
    token: Annotated[
        Path | None,
        typer.Option("--token-file", help="holds the bearer token, mode 0600: UNDERSTUDY_TOKEN_FILE"),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca-file", help="who may have signed its certificate: UNDERSTUDY_CA_FILE")
    ] = None,
    seconds: Annotated[float, typer.Option("--time-limit", min=0.1, max=600, help="of one answer")] = DEFAULT_SECONDS,
) -> None:
    """Remember how the API is reached."""
    around = context.obj if isinstance(context.obj, Surroundings) else Surroundings.here()
    context.obj = opened(around, url, token, ca, seconds)


def serve() -> None:
    """Be the runner: the API and the worker, until SIGTERM; then let what runs end. Settings: UNDERSTUDY_..."""
    program = [sys.executable, "-P", "-m", "runner.cli.serving"]  # -P: not what lies in the folder we stand in
    os.execv(program[0], program)  # noqa: S606 - a small process takes this one's place


def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Check everything that a new installation gets wrong; exit code 1 when something is wrong."""
    from runner.cli.doctor import visit  # noqa: PLC0415 - it loads the whole runner

    if not visit.run(context.obj, as_json=as_json):
        raise typer.Exit(FAILED)


for _command in (
    serve, deciding.decide, jobs.submit, jobs.jobs, jobs.show, jobs.follow, jobs.cancel, jobs.approve, jobs.reject,
    jobs.acknowledge, looking.brake, looking.plan, looking.ledger, looking.capacity, doctor, deciding.check_policies,
    drill.drill,
):  # fmt: skip
    app.command()(_command)
app.add_typer(token_file.app, name="token")
app.add_typer(evidence.app, name="evidence")


def exit_code(error: RunnerError) -> int:
    """Return the exit code that an error means."""
    if isinstance(error, Unreachable | StoreUnavailable):
        return UNREACHABLE
    return WRONG_USAGE if isinstance(error, InvalidRequest | SettingsError | PolicyError) else FAILED


def main(arguments: list[str] | None = None, around: Surroundings | None = None) -> None:
    """Run the command. Errors are written as their sentence."""
    try:
        app(arguments, obj=around, prog_name="understudy")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has gone
        sys.exit(FAILED)
    except RunnerError as error:
        typer.echo(str(error), err=True)
        sys.exit(exit_code(error))
