"""Decide for every cloud: its new list, its last good list, or no inventory at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .asking import Ask, Silence, ask_all
from .errors import CloudSilentError, TwoSitesError
from .merge import Answer
from .servers import Server, Snapshot
from .snapshots import last_good_file, read_last_good, write_last_good

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .configuration import Cloud


@dataclass(frozen=True, slots=True)
class Source:
    """A cloud, how to ask it, whose lists are its own, and a list from Ansible's cache if there is one."""

    cloud: Cloud
    identity: str
    ask: Ask
    cached: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What is known of all clouds, and sentences for the operator."""

    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]


def collect(sources: Mapping[str, Source], directory: Path, now_epoch_seconds: float) -> Collected:
    """Ask all clouds that no cached list stands for, keep good lists, and fall back where one is silent.

    Raises TwoSitesError when a silent cloud has `on_unreachable: fail` or no last good list.
    """
    heard = ask_all(
        {name: (source.ask, source.cloud.timeout_seconds) for name, source in sources.items() if source.cached is None}
    )
    answers: list[Answer] = []
    warnings: list[str] = []
    refusals: list[TwoSitesError] = []
    for name, source in sources.items():
        try:
            if source.cached is not None:
                answers.append(Answer(source.cloud, source.cached, stale=False))
                continue
            answer, sentences = _answer(source, heard[name], directory, now_epoch_seconds)
        except TwoSitesError as error:
            refusals.append(error)
            continue
        answers.append(answer)
        warnings += sentences
    if len(refusals) > 1:
        raise TwoSitesError(" ".join(map(str, refusals)))
    if refusals:
        raise refusals[0]
    return Collected(tuple(answers), tuple(warnings))


def _answer(
    source: Source, heard: tuple[Server, ...] | Silence, directory: Path, now: float
) -> tuple[Answer, list[str]]:
    if isinstance(heard, Silence):
        return _last_good(source, heard.cause, directory, now)
    snapshot = Snapshot(source.cloud.name, source.identity, int(now), heard)
    return Answer(source.cloud, snapshot, stale=False), _keep(directory, snapshot)


def _keep(directory: Path, snapshot: Snapshot) -> list[str]:
    try:
        write_last_good(directory, snapshot)
    except OSError as error:
        file = last_good_file(directory, snapshot.cloud, snapshot.identity)
        return [
            f"The list of cloud {snapshot.cloud!r} is good but cannot be kept in {file}: {error.strerror}. "
            "Until it can, silence of the cloud has nothing newer to fall back on. Make the folder writable."
        ]
    return []


def _last_good(source: Source, cause: str, directory: Path, now: float) -> tuple[Answer, list[str]]:
    name = source.cloud.name
    if source.cloud.on_unreachable == "fail":
        raise CloudSilentError(name, cause, "Its setting is on_unreachable: fail, so there is no inventory.")
    file = last_good_file(directory, name, source.identity)
    try:
        snapshot = read_last_good(directory, name, source.identity)
    except OSError as error:
        raise CloudSilentError(name, cause, f"Its last good list {file} cannot be read: {error.strerror}.") from error
    except TwoSitesError as error:
        raise CloudSilentError(name, cause, f"Its last good list is broken: {error}") from error
    if snapshot is None:
        raise CloudSilentError(
            name, cause, f"There is no last good list ({file}), and unknown is not empty: ask again later."
        )
    age = snapshot.age_seconds(now)
    return Answer(source.cloud, snapshot, stale=True), [
        f"Cloud {name!r} gave no complete list of its servers: {cause}. Its last good list is served: "
        f"{len(snapshot.servers)} servers, {age} s old, each marked two_sites_stale."
    ]
