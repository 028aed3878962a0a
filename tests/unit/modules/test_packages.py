"""What counts as installed."""

from __future__ import annotations

import pytest

from plugins.modules.packages import there


@pytest.mark.parametrize(
    ("status", "is_there"),
    [
        ("ii ", True),
        ("hi ", True),  # held at its version
        ("rc ", False),  # removed, its configuration is left
        ("iU ", False),  # unpacked, not configured
        ("iF ", False),  # half configured
        ("iHR", False),  # half installed, broken
        ("iiR", False),  # to be installed anew
        ("un ", False),
    ],
)
def test_only_what_is_installed_and_configured_is_there(status: str, is_there: bool) -> None:
    assert there(f"{status}\thaproxy\n") == ({"haproxy"} if is_there else set())


def test_nothing_is_there_when_dpkg_knows_none() -> None:
    assert there("") == set()
