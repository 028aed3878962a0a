"""Under the accelerator (`ACCELERATE=1`) everything comes to the state that it has without."""

from __future__ import annotations

import os

from tests.acceptance.conftest import Lab
from tests.acceptance.test_reach import site_again
from tests.integration.test_accelerate import settings_of_make


def test_a_second_site_run_under_the_accelerator_changes_nothing(lab: Lab) -> None:
    settings = settings_of_make("ACCELERATE=1")
    assert settings["ANSIBLE_STRATEGY"] == "mitogen_linear"
    assert settings["ANSIBLE_STRATEGY_PLUGINS"], "mitogen is not in .venv; run make setup"
    site_again(lab, env=os.environ | settings)
