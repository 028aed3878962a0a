"""A restored database that leads listens to its own host alone, and writes to no archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

from plugins.modules import backup_lead


class Refused(Exception):
    """What a module says when it fails."""


class Module:
    """The part of AnsibleModule that a refusal needs."""

    def fail_json(self, *, msg: str, **_: Any) -> NoReturn:
        raise Refused(msg)


MODULE: Any = Module()


def test_it_listens_on_the_loopback_address_and_asks_for_passwords_there(tmp_path: Path) -> None:
    told = backup_lead.settings(tmp_path, "booking")
    assert (told["listen_addresses"], told["unix_socket_directories"]) == ("127.0.0.1", str(tmp_path))
    assert Path(told["hba_file"]).read_text() == "local all all peer\nhost booking all 127.0.0.1/32 scram-sha-256\n"


def test_it_archives_nothing_and_follows_nobody(tmp_path: Path) -> None:
    told = backup_lead.settings(tmp_path, "booking")
    assert (told["archive_mode"], told["primary_conninfo"], told["synchronous_standby_names"]) == ("off", "", "")
    words = backup_lead.command("/usr/bin/postgres", Path("/place"), told, 30)
    assert words[words.index("archive_mode=off") - 1] == "-c"
    assert words[words.index("--") + 1 :][:3] == ["/usr/bin/postgres", "-D", "/place"]
    assert "--property=TimeoutStartSec=30" in words


def test_a_place_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no database"):
        backup_lead.refuse(MODULE, tmp_path, ())


@pytest.mark.parametrize("signal", ["recovery.signal", "standby.signal"])
def test_a_database_that_would_follow_the_archive_is_refused(tmp_path: Path, signal: str) -> None:
    (tmp_path / "PG_VERSION").write_text("17\n")
    (tmp_path / signal).touch()
    with pytest.raises(Refused, match="has not ended its recovery"):
        backup_lead.refuse(MODULE, tmp_path, ())


def test_no_database_is_started_beside_another(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("17\n")
    with pytest.raises(Refused, match="PostgreSQL runs on this host"):
        backup_lead.refuse(MODULE, tmp_path, [tmp_path / "PG_VERSION"])


def test_a_database_that_was_restored_to_its_end_is_let_through(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("17\n")
    backup_lead.refuse(MODULE, tmp_path, ())
