"""What a check run of everything says on hosts that are as they should be."""

from __future__ import annotations

from tests.acceptance.conftest import Lab
from tests.acceptance.test_reach import site_again


def test_check_mode_of_the_site_changes_nothing_and_fails_nowhere(lab: Lab) -> None:
    site_again(lab, "--check")
