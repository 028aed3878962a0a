from __future__ import annotations

import gc

import pytest

from plugins.plugin_utils.two_sites.collector import paused_collector


def test_the_collector_runs_again_also_after_an_error() -> None:
    def break_off() -> None:
        with paused_collector():
            assert not gc.isenabled()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        break_off()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with paused_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
