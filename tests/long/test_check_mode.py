"""What a check run of everything says on hosts that are as they should be."""

from __future__ import annotations

from tests.acceptance.conftest import run


def test_check_mode_of_the_site_changes_nothing_and_fails_nowhere() -> None:
    done = run(["ansible-playbook", "playbooks/site.yml", "--check"], seconds=900)
    assert done.ok, done.out[-3000:] + done.err
