"""What people do with jobs, in tables and in JSON, and the exit codes that programs see."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.unit.runner.cli.desk import DECISION, JOB, TOKEN, Desk, event, problem

ID = str(JOB["id"])
ONE = f"/jobs/{ID}"


def test_jobs_are_a_table_with_the_age_of_each_in_the_local_zone(desk: Desk) -> None:
    desk.answers("GET /jobs", {"jobs": [JOB], "before": None})
    shown = desk.run("jobs")
    assert shown.code == 0
    row = next(line for line in shown.out.splitlines() if ID in line)
    for words in ("succeeded", "wanted_servers=4", "policy:crowd", "08:39:10 (3 min ago)", "21.5 s", "4 burst servers"):
        assert words in row


def test_nothing_is_coloured_or_cut_where_there_is_no_terminal(desk: Desk) -> None:
    long = "a reason that is longer than a line of a terminal would ever be, to see that it stays whole " * 2
    desk.answers("GET /jobs", {"jobs": [JOB | {"outcome": long.strip()}], "before": None})
    shown = desk.run("jobs")
    assert "\x1b" not in shown.out
    assert " ".join(long.split()) in shown.words


def test_what_a_terminal_would_obey_is_not_written(desk: Desk) -> None:
    desk.answers("GET /jobs", {"jobs": [JOB | {"outcome": "\x1b[2Jgone\x07"}], "before": None})
    shown = desk.run("jobs")
    assert "\x1b" not in shown.out
    assert "gone" in shown.out


def test_states_and_limit_are_passed_on_with_the_token(desk: Desk) -> None:
    desk.answers("GET /jobs", {"jobs": [], "before": None})
    shown = desk.run("jobs", "--state", "running", "--state", "failed", "--limit", "7")
    assert shown.out == "There are no such jobs.\n"
    assert desk.asked[0].url.query == b"state=failed&state=running&limit=7"
    assert desk.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_json_is_the_answer_of_the_api_and_nothing_else(desk: Desk) -> None:
    answer = {"jobs": [JOB], "before": ID}
    desk.answers("GET /jobs", answer)
    assert desk.run("jobs", "--json").json == answer


def test_a_job_is_shown_with_its_reason_and_the_end_of_its_story(desk: Desk) -> None:
    desk.answers(f"GET {ONE}", JOB)
    story = [event(number, host="here", task=f"Task {number}") for number in range(1, 21)]
    desk.answers(f"GET {ONE}/events", story)
    shown = desk.run("show", ID)
    assert shown.code == 0
    for words in (str(JOB["reason"]), "1 of 1: kim", "Task 20", "Task 11"):
        assert words in shown.words
    assert "Task 10 " not in shown.words
    assert desk.run("show", ID, "--json").json == JOB


def test_a_long_story_is_read_to_its_end(desk: Desk) -> None:
    desk.answers(f"GET {ONE}", JOB)
    pages = [
        [event(number, task=f"Task {number}") for number in numbers] for numbers in (range(1, 501), range(501, 504))
    ]
    desk.answers(f"GET {ONE}/events", *pages)
    assert "Task 503" in desk.run("show", ID).out
    assert desk.asked[-1].url.params["after"] == "500"


def test_a_wish_is_sent_with_values_of_the_types_that_the_catalogue_wants(desk: Desk) -> None:
    desk.answers("POST /jobs", httpx.Response(201, json={"decision": DECISION, "job": JOB | {"state": "queued"}}))
    shown = desk.run("submit", "scale_out", "wanted_servers=4", "--insist")
    assert shown.code == 0
    assert json.loads(desk.asked[0].content) == {
        "action": "scale_out", "variables": {"wanted_servers": 4}, "insist": True,
    }  # fmt: skip
    assert f"run {DECISION['reason']} job {ID} queued" in shown.words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("scale_up",),
            "There is no action 'scale_up'; there are bake_database_image, bake_image, count_servers, "
            "fail_back_to_colo, fail_over_to_cloud, guard_cloud_database, prepare_failover, prove_backup, "
            "rehearse_failover, remove_cloud_database, scale_in, scale_out, take_backup, verify_backup.",
        ),
        (("scale_out",), "Action scale_out needs wanted_servers"),
        (("scale_out", "wanted_servers=many"), "scale_out: wanted_servers is 'many'; expected int."),
        (("scale_out", "wanted_servers=-1"), "scale_out: wanted_servers is -1; the least is 0."),
        (("scale_out", "wanted_servers=1", "colour=red"), "Action scale_out knows no variable 'colour'"),
        (("scale_out", "wanted_servers"), "'wanted_servers' is not understood; write NAME=VALUE"),
        (("scale_out", "wanted_servers=1", "wanted_servers=2"), "wanted_servers is given twice"),
    ],
)
def test_a_wish_that_the_catalogue_does_not_know_is_wrong_usage_and_not_sent(
    desk: Desk, arguments: tuple[str, ...], message: str
) -> None:
    shown = desk.run("submit", *arguments)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err
    assert desk.asked == []


def test_a_refused_wish_is_its_reason_and_exit_code_1(desk: Desk) -> None:
    reason = "Refused: 6 servers are wanted already; the ceiling of policy crowd is 6."
    desk.answers("POST /jobs", problem(409, "refused", reason))
    shown = desk.run("submit", "scale_out", "wanted_servers=9", "--json")
    assert (shown.code, shown.out, shown.err) == (1, "", reason + "\n")


@pytest.mark.parametrize(
    ("arguments", "asked", "body"),
    [
        (("approve", ID), "POST /jobs/{}/approve", b""),
        (("acknowledge", ID), "POST /jobs/{}/acknowledge", b""),
        (("cancel", ID), "POST /jobs/{}/cancel", b""),
        (("reject", ID, "--reason", "not tonight"), "POST /jobs/{}/reject", b'{"reason":"not tonight"}'),
    ],
)
def test_what_people_do_to_a_job_is_sent_and_the_job_shown(
    desk: Desk, arguments: tuple[str, ...], asked: str, body: bytes
) -> None:
    what = asked.format(ID)
    desk.answers(what, JOB)
    shown = desk.run(*arguments)
    assert (shown.code, shown.words) == (0, f"job {ID} succeeded 4 burst servers serve. (21.5 s)")
    assert desk.asked[0].content == body
    assert desk.run(*arguments, "--json").json == JOB


@pytest.mark.parametrize(
    "arguments", [("cancel", ID), ("reject", ID), ("submit", "scale_in", "wanted_servers=1")], ids=lambda each: each[0]
)
def test_what_cannot_be_taken_back_is_asked_about_on_a_terminal(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.yes = False
    shown = desk.run(*arguments)
    assert (shown.code, shown.err) == (1, "Nothing was done.\n")
    assert len(desk.questions) == 1
    assert desk.asked == []


@pytest.mark.parametrize(("yes", "more"), [(True, ()), (False, ("--yes",)), (None, ())])
def test_it_is_done_when_a_person_or_the_option_says_so_or_nobody_can_be_asked(
    desk: Desk, yes: bool | None, more: tuple[str, ...]
) -> None:
    desk.yes = yes
    desk.answers(f"POST {ONE}/cancel", JOB | {"state": "cancelling"})
    assert desk.run("cancel", ID, *more).code == 0
    assert len(desk.asked) == 1


def test_what_only_adds_is_not_asked_about(desk: Desk) -> None:
    desk.yes = False
    desk.answers("POST /jobs", {"decision": DECISION, "job": JOB})
    assert desk.run("submit", "scale_out", "wanted_servers=4").code == 0
    assert desk.questions == []


def test_a_job_that_is_not_there_is_the_sentence_of_the_api(desk: Desk) -> None:
    desk.answers("GET /jobs/x", problem(404, "not_found", "There is no job 'x'; `understudy jobs` lists them."))
    shown = desk.run("show", "x")
    assert (shown.code, shown.err) == (1, "There is no job 'x'; `understudy jobs` lists them.\n")
