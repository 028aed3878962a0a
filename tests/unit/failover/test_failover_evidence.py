"""What a failover leaves as evidence is put together from what its roles said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plugins.filter.evidence import _release, failover_evidence

SEEN: dict[str, Any] = {"site": "cloud", "begun": False, "asked_at": "2026-11-28T21:00:01.000Z"}
JUDGED = {
    "verdict": "switch",
    "reasons": ["Nobody has held the lease for 4 s."],
    "card": "THE CLOUD TAKES OVER\nNOW.",
    "at": "2026-11-28T21:00:06.500Z",
}
HOSTS: list[dict[str, Any]] = [
    {"inventory_hostname": "localhost", "preflight_judged": JUDGED},
    {"inventory_hostname": "witness1", "preflight_seen": SEEN | {"asked_at": "2026-11-28T21:00:00.500Z"}},
    {"inventory_hostname": "cloud-gw1", "preflight_seen": SEEN, "vpn_fenced_at": "2026-11-28T21:00:40.000Z",
     "balancer_switched_at": "2026-11-28T21:00:30.000Z"},
    {"inventory_hostname": "cloud-db1", "database_led_at": "2026-11-28T21:00:20.000Z",
     "evidence_versions": {"stdout_lines": ["patroni 4.0.4"]}},
    {"inventory_hostname": "crowd1", "edges_proved_at": "2026-11-28T21:00:49.900Z"},
    {"inventory_hostname": "crowd2", "edges_proved_at": "2026-11-28T21:00:50.000Z"},
]  # fmt: skip


def files(hosts: list[dict[str, Any]], **about: Any) -> dict[str, Any]:
    return dict(failover_evidence(hosts, about)["files"])


def test_the_timeline_says_each_thing_once_and_in_order() -> None:
    told = files(HOSTS)["timeline.jsonl"]
    assert [each["at_s"] for each in told] == [0.0, 6.0, 19.5, 29.5, 39.5, 49.5]
    words = [each["what"] for each in told]
    assert words[0] == "the observers are asked"
    assert words[1] == "the verdict is switch: Nobody has held the lease for 4 s."
    assert words[2].startswith("cloud-db1 leads the database")
    assert words[4] == "cloud-gw1: the tunnel to the other site is closed"
    assert words[5].startswith("a seat was booked")


def test_it_takes_from_the_question_to_the_proof() -> None:
    made = failover_evidence(HOSTS, {"tier": "standby"})
    assert (made["began"], made["seconds"], made["resumed"]) == ("2026-11-28T21:00:00.500Z", 49.5, False)
    result = made["files"]["result.json"]
    assert (result["tier"], result["seconds"], result["divergence"]) == ("standby", 49.5, None)


def test_what_was_reached_is_told_at_worst() -> None:
    judged = {"inventory_hostname": "localhost", "preflight_judged": JUDGED | {"bookings_per_minute": 30.0}}
    told = failover_evidence([judged, *HOSTS[1:]], {"tier": "archive", "data_age_seconds": 20.0})["files"][
        "result.json"
    ]
    assert (told["rto_s"], told["rpo_s"], told["rpo_bookings"], told["at_most"]) == (63.5, 20.0, 10, True)
    nothing = failover_evidence(HOSTS, {"tier": "synchronous", "data_age_seconds": 0.0})["files"]["result.json"]
    assert (nothing["rto_s"], nothing["rpo_s"], nothing["rpo_bookings"]) == (None, 0.0, 0)
    assert (
        "rto_s" not in failover_evidence(HOSTS, {"tier": "archive", "data_age_seconds": None})["files"]["result.json"]
    )
    unknown = failover_evidence(HOSTS, {"tier": "archive", "data_age_seconds": 20.0})["files"]["result.json"]
    assert unknown["rpo_bookings"] is None


def test_observers_judgement_and_versions_are_kept() -> None:
    made = files(HOSTS)
    assert [each["name"] for each in made["observers.json"]["observers"]] == ["witness1", "cloud-gw1"]
    assert made["observers.json"]["card"] == ["THE CLOUD TAKES OVER", "NOW."]
    assert made["judgement.json"]["verdict"] == "switch"
    assert made["versions.json"]["hosts"] == {"cloud-db1": ["patroni 4.0.4"]}
    assert made["versions.json"].keys() >= {"understudy", "ansible-core", "python"}


def test_on_a_runners_host_the_release_names_the_version(tmp_path: Path) -> None:
    for parent, version in (("0.1.0-abcdef12", "0.1.0-abcdef12"), ("checkout", "0.1.0")):
        project = tmp_path / parent / "project"
        project.mkdir(parents=True)
        (project / "galaxy.yml").write_text("namespace: understudy\nversion: 0.1.0\n")
        assert _release(project) == version


def test_one_that_goes_on_after_it_was_stopped_says_so() -> None:
    again = [*HOSTS, {"inventory_hostname": "x", "preflight_seen": SEEN | {"begun": True}}]
    assert failover_evidence(again, {})["resumed"]


def test_a_return_has_no_judgement_and_says_what_differed() -> None:
    home: list[dict[str, Any]] = [
        {"inventory_hostname": "witness1", "preflight_seen": SEEN | {"begun": True}},
        {"inventory_hostname": "colo-was1", "booking_divergence": {"only_on_old_side": 2}},
        {"inventory_hostname": "cloud-gw1", "vpn_opened_at": "2026-11-28T21:00:05.000Z"},
    ]
    made = failover_evidence(home, {"kind": "failback"})
    assert (made["resumed"], made["seconds"]) == (False, None)
    assert made["files"]["result.json"]["divergence"] == {"only_on_old_side": 2}
    assert "judgement.json" not in made["files"]
    assert [each["at_s"] for each in made["files"]["timeline.jsonl"]] == [0.0, 4.0]


def test_nothing_was_seen_and_nothing_is_told() -> None:
    assert failover_evidence([{"inventory_hostname": "localhost"}], {})["began"] == ""
