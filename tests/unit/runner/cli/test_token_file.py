"""Bearer tokens are made, listed and removed on this machine; a token is shown once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from runner import tokens
from tests.unit.runner.cli.desk import NOW, Desk, Result


class Keys:
    def __init__(self, desk: Desk, file: Path) -> None:
        self.desk, self.file = desk, file

    def run(self, *arguments: str) -> Result:
        return self.desk.run("token", *arguments, environment={"UNDERSTUDY_TOKENS_FILE": str(self.file)})

    def holder(self, token: str) -> tokens.Token | None:
        return tokens.holder(tokens.load(self.file), token.strip().encode(), NOW)


@pytest.fixture
def keys(desk: Desk, tmp_path: Path) -> Keys:
    return Keys(desk, tmp_path / "tokens.json")


def test_a_new_token_is_printed_alone_and_only_its_digest_is_kept(keys: Keys) -> None:
    made = keys.run("add", "monitoring", "--scope", "alerts", "--scope", "read")
    assert made.code == 0
    assert len(made.out.split()) == 1
    assert "only time" in made.err
    assert made.out.strip() not in keys.file.read_text()
    assert keys.file.stat().st_mode & 0o777 == 0o600
    found = keys.holder(made.out)
    assert found is not None
    assert (found.name, found.scopes, found.expires) == ("monitoring", frozenset({"alerts", "read"}), None)


def test_json_holds_the_token_and_when_it_expires(keys: Keys) -> None:
    told = keys.run("add", "drill", "--scope", "operate", "--expires", "90d", "--json").json
    found = keys.holder(told["token"])
    assert found is not None
    assert found.expires == NOW + timedelta(days=90)


def test_tokens_are_listed_without_their_digests(keys: Keys) -> None:
    keys.run("add", "monitoring", "--scope", "alerts")
    keys.run("add", "drill", "--scope", "operate", "--expires", "3h")
    shown = keys.run("list")
    rows = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "monitoring alerts never" in rows
    assert "drill operate 11:42:10 (in 3 h)" in rows
    assert [each["name"] for each in keys.run("list", "--json").json] == ["monitoring", "drill"]
    assert "sha256" not in shown.out


def test_a_removed_token_opens_nothing(keys: Keys) -> None:
    made = keys.run("add", "drill", "--scope", "operate")
    assert keys.run("remove", "drill").code == 0
    assert keys.holder(made.out) is None


def test_removing_is_asked_about_on_a_terminal(keys: Keys) -> None:
    made = keys.run("add", "drill", "--scope", "operate")
    keys.desk.yes = False
    assert keys.run("remove", "drill").code == 1
    assert keys.holder(made.out) is not None
    assert keys.run("remove", "drill", "--yes").code == 0


def test_owner_and_mode_of_the_file_stay_as_they_were(keys: Keys) -> None:
    keys.run("add", "monitoring", "--scope", "alerts")
    keys.file.chmod(0o640)
    keys.run("add", "drill", "--scope", "operate")
    assert keys.file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "x", "--scope", "everything"), "There is no scope 'everything'; choose among alerts,"),
        (("add", "a b", "--scope", "read"), "The name 'a b' does not do"),
        (("add", "x", "--scope", "read", "--expires", "soon"), "--expires is 'soon'; expected a duration"),
        (("add", "monitoring", "--scope", "read"), "There is a token named monitoring already"),
        (("remove", "nobody"), "There is no token named nobody; there are: monitoring."),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(keys: Keys, arguments: tuple[str, ...], message: str) -> None:
    keys.run("add", "monitoring", "--scope", "alerts")
    before = keys.file.read_text()
    shown = keys.run(*arguments)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err
    assert keys.file.read_text() == before


def test_without_a_file_it_is_said_how_to_name_one(desk: Desk, tmp_path: Path) -> None:
    shown = desk.run("token", "list")
    assert (shown.code, "UNDERSTUDY_TOKENS_FILE is not set" in shown.err) == (2, True)
    shown = desk.run("token", "add", "x", "--scope", "read", "--file", str(tmp_path / "no/tokens.json"))
    assert (shown.code, "make its folder" in shown.err) == (2, True)


def test_a_file_that_others_reach_is_refused(keys: Keys) -> None:
    keys.file.write_text(json.dumps({"tokens": []}))
    keys.file.chmod(0o644)
    shown = keys.run("add", "x", "--scope", "read")
    assert (shown.code, "others must not reach it" in shown.err) == (2, True)
