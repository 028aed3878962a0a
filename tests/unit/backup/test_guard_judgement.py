"""What counts as a database in the cloud, and what does not."""

from __future__ import annotations

import pytest

from plugins.module_utils import guard_judgement as judgement

KNOWN = ["cloud-gw1", "cloud-was1"]
SEGMENT = "00000001000000000000000A-" + "0" * 40


def server(name: str, age_seconds: float = 60, ports: tuple[int, ...] = (), **metadata: str) -> judgement.Server:
    return judgement.Server(name, metadata, age_seconds, ports)


def judged(*servers: judgement.Server, allowed: tuple[str, ...] = ()) -> list[str]:
    return judgement.judge_servers(servers, KNOWN, allowed, ["cloud-proof1", "cloud-rehearsal1"], 7200)


@pytest.mark.parametrize(
    "found",
    [
        server("cloud-was1", understudy_function="was"),
        server("cloud-burst1", understudy_burst="building"),
        server("image-builder", understudy_image="builder"),
        server("cloud-proof1", understudy_proof="restore", ports=(5432,)),
        server("cloud-rehearsal1", understudy_proof="failover"),
    ],
    ids=lambda found: found.name,
)
def test_what_belongs_there_is_not_named(found: judgement.Server) -> None:
    assert judged(found) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (server("cloud-db1", understudy_function="database"), "is a database host of this cloud, and none is declared"),
        (
            server("cloud-proof1", 9000, understudy_proof="restore"),
            "of a proof or rehearsal is 150 minutes old, and still there",
        ),
        (server("cloud-was1", ports=(5432, 8008)), "answers on port 5432, 8008, as a database does"),
        (server("stranger"), "is in the project, and nobody here knows what it holds"),
        (server("cloud-proof1", ports=()), "is in the project, and nobody here knows what it holds"),
    ],
    ids=["undeclared", "left over", "open port", "stranger", "only called like the proof"],
)
def test_what_does_not_belong_there_is_named(found: judgement.Server, words: str) -> None:
    assert judged(found) == [f"server {found.name} {words}"]


def test_a_declared_database_host_is_not_named() -> None:
    assert judged(server("cloud-db1", ports=(5432,), understudy_function="database"), allowed=("cloud-db1",)) == []


def test_every_volume_is_named() -> None:
    assert judgement.judge_volumes([("data", 20)]) == [
        "volume data of 20 GB is in the project, and nothing here has volumes"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "understudy/archive/understudy/archive.info",
        "understudy/archive/understudy/archive.info.copy",
        f"understudy/archive/understudy/17-1/0000000100000000/{SEGMENT}.lz4",
        "understudy/archive/understudy/17-1/0000000100000000/00000001000000000000000A.00000028.backup",
        f"understudy/archive/understudy/17-1/0000000100000000/{SEGMENT.replace('-', '.partial-')}.lz4",
        "understudy/archive/understudy/17-1/00000002.history",
        "understudy/backup/understudy/backup.info",
        "understudy/backup/understudy/20261128-153749F/pg_data/base/1/1.lz4",
        "understudy/backup/understudy/20261128-153749F_20261128-153755I/backup.manifest",
        "understudy/backup/understudy/backup.history/2026/20261128-153749F.manifest.lz4",
    ],
)
def test_objects_of_the_repository_belong(name: str) -> None:
    assert judgement.belongs(name, "/understudy", "understudy")


@pytest.mark.parametrize(
    "name",
    [
        "dump.sql",
        "understudy/dump.sql",
        "understudy/archive/understudy/dump.sql",
        "understudy/archive/understudy/17-1/0000000100000000/dump.sql",
        "understudy/backup/understudy/dump.sql",
        "understudy/backup/other/backup.info",
        "elsewhere/backup/understudy/backup.info",
    ],
)
def test_other_objects_do_not(name: str) -> None:
    assert not judgement.belongs(name, "/understudy", "understudy")


def test_objects_are_named_and_the_rest_is_counted() -> None:
    assert judgement.judge_objects("b", [], []) == []
    assert judgement.judge_objects("b", ["1", "2", "3", "4", "5"], ["x"]) == [
        "bucket b holds what is none of the encrypted backups: 1, 2, 3 and 2 more",
        "bucket b holds backups in clear: x",
    ]


@pytest.mark.parametrize(
    ("head", "is_dump"),
    [
        (b"PGDMP\x01\x0f", True),
        (b"--\n-- PostgreSQL database dump\n--", True),
        (b"\n--\n-- PostgreSQL database dump complete", True),
        (b"Salted__PGDMP", False),
        (b"-- Create a table", False),
        (b"", False),
    ],
)
def test_a_dump_is_known_by_how_it_begins(head: bytes, is_dump: bool) -> None:
    assert judgement.is_dump(head) is is_dump


def test_listening_sockets_are_read_and_others_are_not() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 4711 1 0\n"
        "   1: 0100007F:1538 0100007F:9C40 01 00000000:00000000 00:00000000 00000000   107        0 4712 1 0\n"
    )
    assert judgement.listening(table) == {"4711": ("0100007F", 5432)}


def test_a_host_is_told_thing_by_thing() -> None:
    said = judgement.judge_host([(7, "postgres")], [(5432, "postgres")], ["/srv/data"], ["/tmp/a.sql"])
    assert said == [
        "process 7 is postgres",
        "postgres listens on port 5432",
        "/srv/data is a directory of PostgreSQL's data",
        "/tmp/a.sql is a dump of a database in clear",
    ]
