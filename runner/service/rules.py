"""The rules in force: policies, calendar and the colo's absence, read anew when a file changes.

A broken new file changes nothing.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.errors import PolicyError
from runner.policy import absence as absences
from runner.policy import calendar as calendars
from runner.policy import policies as policy_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.actions import Action
    from runner.model import Site
    from runner.policy.absence import Absence
    from runner.policy.calendar import Calendar
    from runner.policy.policies import Policies

log = logging.getLogger("runner.service")


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What decisions are made by. `problem`: why a newer file was refused, so that these older rules stay."""

    site: Site
    policies: Policies
    calendar: Calendar | None = None
    absence: Absence | None = None
    problem: str | None = None

    @property
    def catalogue(self) -> Mapping[str, Action]:
        """Return the actions there are, by name."""
        return self.policies.catalogue


class RulesFiles:
    """The policy file and, where there are such, the calendar and absence files. Safe to ask from several threads."""

    def __init__(
        self,
        site: Site,
        policies_file: Path,
        calendar_file: Path | None,
        catalogue: Mapping[str, Action] | None = None,
        *,
        absence_file: Path | None = None,
    ) -> None:
        """Read them. `catalogue`: other actions than the runner's own. `absence_file`: need not be there.

        Raises PolicyError when they cannot be used.
        """
        self._site, self._policies_file, self._calendar_file = site, policies_file, calendar_file
        self._absence_file, self._catalogue = absence_file, catalogue
        self._lock = threading.Lock()
        self._seen = self._changed_at()
        self._rules = self._read()

    def current(self) -> Rules:
        """Return the rules in force; all files are read again when one of them changed."""
        with self._lock:
            seen = self._changed_at()
            if seen != self._seen:
                self._seen = seen
                self._renew()
            return self._rules

    def _renew(self) -> None:
        try:
            self._rules = self._read()
        except PolicyError as error:
            self._rules = dataclasses.replace(self._rules, problem=str(error))
            log.error("event=rules_refused problem=%r kept=old", str(error))  # noqa: TRY400 the message says it all
        else:
            log.info("event=rules_loaded policies=%d", len(self._rules.policies.policies))

    def _read(self) -> Rules:
        text = _text(self._policies_file)
        name = self._policies_file.name
        loaded = policy_files.load(text, name, self._catalogue) if self._catalogue else policy_files.load(text, name)
        calendar = None
        if self._calendar_file is not None:
            calendar = calendars.load(_text(self._calendar_file), self._calendar_file.name)
        return Rules(self._site, loaded, calendar, self._absence())

    def _absence(self) -> Absence | None:
        """Read what the last failover or return wrote; a file that is not there says that there was none."""
        if self._absence_file is None or (stamp := _stamp(self._absence_file)) is None:
            return None
        text, name = _text(self._absence_file), self._absence_file.name
        return absences.load(text, name, datetime.fromtimestamp(stamp[0] / 1e9, UTC))

    def _changed_at(self) -> tuple[tuple[int, int, int] | None, ...]:
        named = (self._policies_file, self._calendar_file, self._absence_file)
        return tuple(_stamp(each) for each in named if each is not None)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file.name}: {file} cannot be read ({error}); put the file there.") from error
