"""When the guard stops PostgreSQL and when it must not; what it does then is tried by molecule's scenario database."""

from __future__ import annotations

import base64
import json
import os
import signal
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.programs import load

if TYPE_CHECKING:
    pass

US, THEM = "colo-db1", "cloud-db1"


GUARD = load("database", "understudy_lease_guard")
SETTINGS = GUARD.Settings(
    name=US,
    scope="understudy",
    data_directory="/nowhere",
    endpoints=("192.0.2.1:2379",),
    ca_file="",
    certificate_file="",
    key_file="",
    margin_seconds=2.0,
    unleased_seconds=5.0,
    silence_seconds=5.0,
    state_file="",
)


class Watch:
    """Feed the guard with what happens, second by second, and ask it what it would do."""

    def __init__(self, started_at: float = 0.0, held_until: float | None = None) -> None:
        self.known = GUARD.Knowledge(started_at=started_at, held_until=held_until)
        self.newest: Any = None

    def at(
        self, now: float, *, writable: bool = True, says: tuple[str, float] | None = None, boot: bool = False
    ) -> str:
        """Look at PostgreSQL; `says` is (holder, time to live) of an answer that came now."""
        if says is not None:
            holder, left = says
            self.newest = GUARD.Answer(now, holder, now + left if holder else 0.0, boot)
        self.known = GUARD.observe(self.known, now, writable=writable, answer=self.newest, name=US)
        return str(GUARD.reason_to_stop(self.known, SETTINGS, now))


def test_a_leader_whose_lease_is_renewed_is_left_alone() -> None:
    watch = Watch()
    assert [watch.at(now, says=(US, 12 + now % 9)) for now in range(600)] == [""] * 600


def test_a_leader_whose_lease_is_not_renewed_is_stopped_before_it_lapses() -> None:
    watch = Watch()
    left = [watch.at(now, says=(US, 20 - now)) for now in range(20)]
    assert left[:18] == [""] * 18
    assert left[18] == "the lease was not renewed and may lapse in 2.0 s"


def test_a_leader_that_is_cut_off_is_stopped_before_its_lease_lapses() -> None:
    watch = Watch()
    watch.at(0, says=(US, 20))
    assert [watch.at(now) for now in range(1, 18)] == [""] * 17
    assert "may lapse" in watch.at(18)


def test_a_cut_shorter_than_the_lease_stops_nothing() -> None:
    watch = Watch()
    watch.at(0, says=(US, 20))
    assert watch.at(15) == ""
    assert watch.at(16, says=(US, 19)) == ""
    assert watch.at(30) == ""


def test_a_replica_is_never_stopped() -> None:
    watch = Watch()
    heard: list[tuple[str, float] | None] = [(THEM, 20), None, ("", 0), (US, 1), None]
    assert [watch.at(now * 9, writable=False, says=says) for now, says in enumerate(heard)] == [""] * 5


def test_a_primary_beside_another_leader_is_stopped_at_once() -> None:
    watch = Watch()
    watch.at(0, says=(US, 20))
    assert watch.at(1, says=(THEM, 20)) == f"{THEM} holds the lease"


def test_an_answer_from_before_the_promotion_does_not_stop_the_new_leader() -> None:
    watch = Watch()
    assert watch.at(0, writable=False, says=(THEM, 1)) == ""
    assert watch.at(0.5, writable=True) == ""
    assert watch.at(1, says=(US, 20)) == ""


def test_a_planned_switch_stops_nothing_on_either_side() -> None:
    old, new = Watch(), Watch()
    old.at(0, says=(US, 20))
    new.at(0, writable=False, says=(THEM, 20))
    assert old.at(1, writable=False, says=("", 0)) == ""
    assert new.at(1.5, writable=False, says=(US, 20)) == ""
    assert new.at(1.7) == ""
    assert [old.at(now, writable=False, says=(THEM, 20)) for now in range(2, 40)] == [""] * 38


def test_a_new_cluster_may_take_writes_before_it_has_a_lease() -> None:
    watch = Watch()
    assert [watch.at(now, says=("", 0), boot=True) for now in range(60)] == [""] * 60
    assert watch.at(60, says=(US, 20)) == ""


def test_a_primary_without_any_lease_is_stopped_after_a_while() -> None:
    watch = Watch()
    assert [watch.at(now, says=("", 0)) for now in range(5)] == [""] * 5
    assert watch.at(5, says=("", 0)) == "nobody has held the lease for 5.0 s"


def test_a_guard_that_was_restarted_remembers_how_long_the_lease_lasts() -> None:
    watch = Watch(started_at=100, held_until=112)
    assert watch.at(109) == ""
    assert "may lapse" in watch.at(110)


def test_a_guard_that_was_restarted_with_nothing_known_waits_for_an_answer_and_not_for_ever() -> None:
    assert Watch(started_at=100).at(104.9) == ""
    watch = Watch(started_at=100)
    watch.at(100)
    assert "has not answered for 5.0 s" in watch.at(105)
    watch = Watch(started_at=100)
    watch.at(100)
    assert watch.at(104, says=(US, 20)) == ""
    assert watch.at(106) == ""


@given(
    answers=st.lists(
        st.tuples(st.floats(0.1, 3.0), st.sampled_from([US, THEM, ""]), st.integers(0, 20), st.booleans()), max_size=40
    )
)
def test_no_primary_lives_past_the_lease_it_last_heard_of(answers: list[tuple[float, str, int, bool]]) -> None:
    """Whatever is heard, a primary that is let on holds a lease beyond the margin, or nothing was settled yet."""
    watch, now = Watch(), 0.0
    for step, holder, left, silent in answers:
        now += step
        said = watch.at(now, says=None if silent else (holder, left))
        if not said and watch.known.held_until is not None:
            assert watch.known.held_until - now > SETTINGS.margin_seconds
        if not silent and holder == THEM:
            assert said
        if not silent and holder == US and left > SETTINGS.margin_seconds:
            assert not said


def encoded(keys: dict[str, tuple[str, str]]) -> dict[str, Any]:
    def text(value: str) -> str:
        return base64.b64encode(value.encode()).decode()

    return {"kvs": [{"key": text(key), "value": text(value), "lease": lease} for key, (value, lease) in keys.items()]}


def test_etcds_answer_is_read_with_the_moment_of_the_question() -> None:
    keys = encoded({"/service/understudy/leader": (US, "77"), "/service/understudy/initialize": ("7123", "0")})
    assert GUARD.lease_of_leader(keys, "understudy") == "77"
    answer = GUARD.understand(keys, {"ID": "77", "TTL": "14", "grantedTTL": "20"}, "understudy", 100.0)
    assert answer == GUARD.Answer(100.0, US, 114.0, bootstrapping=False)


def test_a_lease_that_lapsed_meanwhile_lasts_no_longer() -> None:
    keys = encoded({"/service/understudy/leader": (US, "77")})
    assert GUARD.understand(keys, {"TTL": "-1"}, "understudy", 100.0).expires_at == 100.0


def test_a_cluster_that_is_being_made_is_told_from_one_without_a_leader() -> None:
    assert GUARD.understand(
        encoded({"/service/understudy/initialize": ("", "0")}), None, "understudy", 1.0
    ).bootstrapping
    assert not GUARD.understand(encoded({}), None, "understudy", 1.0).bootstrapping


@pytest.mark.parametrize(
    ("status", "state", "writable"),
    [
        ("ready   ", 6, True),
        ("stopping", 6, True),
        ("ready   ", 5, False),
        ("starting", 6, False),
        ("stopping", 1, False),
    ],
)
def test_postgresql_takes_writes_only_when_it_is_up_and_in_production(
    status: str, state: int, *, writable: bool
) -> None:
    pid_file = "\n".join(["4711", "/data", "1700000000", "5432", "/run", "", "  1  2", status, ""])
    assert GUARD.is_writable(pid_file, struct.pack("=QIIi", 7, 1300, 1, state) + bytes(100)) is writable


def test_a_pid_file_that_is_half_written_is_no_writable_server() -> None:
    assert not GUARD.is_writable("4711\n", struct.pack("=QIIi", 7, 1300, 1, 6))


def test_no_server_is_seen_where_there_is_none_or_the_number_is_anothers(tmp_path: Path) -> None:
    assert GUARD.look(str(tmp_path)) is None
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert GUARD.look(str(tmp_path)) is None


def test_what_is_saved_is_recalled_and_rubbish_is_not(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert GUARD.recall(path) is None
    GUARD.save(path, replace(GUARD.Knowledge(started_at=1.0), held_until=42.5))
    assert GUARD.recall(path) == 42.5
    path.write_text("{")
    assert GUARD.recall(path) is None


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("stubborn", [False, True])
def test_a_stop_ends_also_what_is_frozen_or_does_not_obey(*, frozen: bool, stubborn: bool) -> None:
    program = (
        "trap '' QUIT; echo up; while :; do sleep 0.05; done" if stubborn else "echo up; while :; do sleep 0.05; done"
    )
    victim = subprocess.Popen(["bash", "-c", program], stdout=subprocess.PIPE)
    assert victim.stdout is not None
    victim.stdout.readline()
    if frozen:
        os.kill(victim.pid, signal.SIGSTOP)
    GUARD.stop(victim.pid)
    assert victim.wait(timeout=5) in {-signal.SIGQUIT, -signal.SIGKILL}


def test_the_settings_file_says_all_that_the_guard_needs() -> None:
    fields = {name: getattr(SETTINGS, name) for name in SETTINGS.__dataclass_fields__}
    assert GUARD.read_settings(json.dumps(fields)) == SETTINGS
