"""Say how a run ended, in one word and one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model import Ending, RunOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from runner.execute.request import RunRequest
    from runner.execute.story import Story

LEASE_EXIT_CODE = 75  # of the callback that looks at the lease


def outcome(
    request: RunRequest, story: Story, code: int, ending: str, between: tuple[datetime, datetime]
) -> RunOutcome:
    """Return the outcome. `code`: Ansible's exit code; `ending`: why the guard ended it, or nothing."""
    started_at, ended_at = between
    word, summary = _ending(request, story, code, ending)
    seconds = (ended_at - started_at).total_seconds()
    return RunOutcome(
        ending=word,
        summary=f"{request.playbook.stem} {summary}".replace("{seconds}", f"{seconds:.0f} s"),
        started_at=started_at,
        ended_at=ended_at,
        first_task_at=story.first_task_at,
        counts=story.counts,
        results=story.results,
    )


def _ending(request: RunRequest, story: Story, code: int, ending: str) -> tuple[Ending, str]:
    if ending == "fenced" or code == LEASE_EXIT_CODE:
        return Ending.FENCED, "was ended: this node lost its lease, and another node may run the job now."
    if ending in {"timed_out", "cancelled"}:
        return _ended(request, ending)
    return _own(story, code)


def _ended(request: RunRequest, ending: str) -> tuple[Ending, str]:
    if ending == "timed_out":
        return Ending.TIMED_OUT, f"was ended after {{seconds}}; its limit is {request.time_limit_seconds:g} s."
    return Ending.CANCELLED, "was cancelled after {seconds}; no process of it is left."


def _own(story: Story, code: int) -> tuple[Ending, str]:
    failed = any(each["failures"] for each in story.counts.values())
    unreachable = sorted(host for host, each in story.counts.items() if each["unreachable"])
    if unreachable and not failed:
        return Ending.UNREACHABLE, f"could not reach {', '.join(unreachable)}: {story.trouble}."
    if code != 0 or failed:
        return Ending.FAILED, f"failed: {story.trouble or story.last_error or f'exit code {code}'}."
    if not story.ran_somewhere:
        return Ending.NO_HOSTS, "did nothing: no play matched a host. Look at the inventory and at `hosts:`."
    hosts = ", ".join(sorted(story.counts)) or "no host"
    return Ending.SUCCEEDED, f"succeeded in {{seconds}} on {hosts}{_figures(story)}."


def _figures(story: Story) -> str:
    """Tell what the playbook handed over by set_stats, so that it stands in the ledger."""
    return f": {', '.join(f'{name} {value}' for name, value in sorted(story.results.items()))}" if story.results else ""
