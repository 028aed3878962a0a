"""What a drill reads out of a playbook's output."""

from __future__ import annotations

from lab.drills.playbooks import KeptList, card, kept_list

SHOWN = """
TASK [preflight : Judge whether the cloud may take over] ***
ok: [localhost]

TASK [preflight : Show the failover card] **************************************
ok: [localhost] =>
    msg:
    - THE CLOUD TAKES OVER FROM THE COLO NOW.
    - ''
    - 'Why'
    - '  - witness: the colo is silent'

TASK [preflight : Keep the judgement] ***
ok: [localhost]
""".replace("=>\n", "=> \n")  # as Ansible writes it


def test_the_card_is_read_line_by_line() -> None:
    lines = ["THE CLOUD TAKES OVER FROM THE COLO NOW.", "", "Why", "  - witness: the colo is silent"]
    assert card(SHOWN) == lines


def test_the_card_that_was_shown_last_counts() -> None:
    assert card(SHOWN.replace("NOW", "LATER") + SHOWN) == card(SHOWN)


def test_a_run_without_a_card_has_none() -> None:
    assert card("PLAY [Something else] ***\n") == []


def test_the_list_that_a_return_kept_is_found() -> None:
    said = (
        "msg: 'The colo alone has 12 bookings, 2 of them for seats that the cloud has sold since; they are kept in "
        "/var/lib/was/divergence-1.json on colo-was1. Settle "
        "them: ansible-playbook playbooks/settle_bookings.yml -e settle_list=/var/lib/was/divergence-1.json'"
    )
    assert kept_list(said) == KeptList(12, 2, "/var/lib/was/divergence-1.json")


def test_a_return_that_kept_nothing_has_no_list() -> None:
    assert kept_list("PLAY RECAP") == KeptList()
