from __future__ import annotations

from pathlib import Path

import pytest

from runner.execute.lease import Lease, seconds_since_boot


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_is_valid_until_its_deadline_and_renewal_moves_it(tmp_path: Path) -> None:
    clock = Clock()
    lease = Lease(tmp_path / "state/lease", clock)
    lease.renew(4)
    clock.now = 103.9
    assert lease.valid()
    lease.renew(4)
    clock.now = 107.8
    assert lease.seconds_left() == pytest.approx(0.1)
    clock.now = 107.9
    assert not lease.valid()


def test_no_lease_was_ever_given(tmp_path: Path) -> None:
    assert not Lease(tmp_path / "lease", Clock()).valid()


@pytest.mark.parametrize("content", ["", "soon", "1" * 3 + "x"])
def test_what_cannot_be_read_is_no_lease(tmp_path: Path, content: str) -> None:
    (tmp_path / "lease").write_text(content)
    assert not Lease(tmp_path / "lease", Clock()).valid()


def test_a_lease_that_was_given_up_is_over_at_once(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "lease", Clock())
    lease.renew(60)
    lease.lapse()
    lease.lapse()
    assert not lease.valid()


def test_the_clock_goes_on() -> None:
    assert seconds_since_boot() <= seconds_since_boot()
