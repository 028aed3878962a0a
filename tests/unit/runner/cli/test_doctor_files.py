"""The doctor looks at the files that an operator provides: each check passes once and refuses once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner import tokens as bearer
from runner.actions import CATALOGUE
from runner.cli.doctor import files
from runner.cli.doctor.finding import Finding, trouble_with_secret
from runner.settings import Settings, load
from tests.unit.runner.cli.certificates import pair
from tests.unit.runner.cli.desk import NOW
from tests.unit.runner.cli.test_deciding import CALENDAR, POLICIES


def secret(file: Path, text: str = "secret", mode: int = 0o600) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def refuses(finding: Finding, *words: str) -> None:
    assert not finding.ok
    for each in words:
        assert each in finding.text


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_secret_that_its_owner_and_group_reach_is_fine(tmp_path: Path, mode: int) -> None:
    assert trouble_with_secret(secret(tmp_path / "s", mode=mode)) is None


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o601])
def test_a_secret_that_others_reach_is_not(tmp_path: Path, mode: int) -> None:
    assert f"mode {mode:04o}" in str(trouble_with_secret(secret(tmp_path / "s", mode=mode)))


def test_a_secret_that_is_not_there_is_not(tmp_path: Path) -> None:
    assert "There is no file" in str(trouble_with_secret(tmp_path / "none"))


def tokens_file(folder: Path, scope: str, expires: datetime | None = None) -> Path:
    file = folder / "tokens.json"
    bearer.save(file, bearer.added((), "monitoring", [scope], "us_x", expires))
    return file


@pytest.mark.parametrize("scope", ["alerts", "admin"])
def test_a_token_for_monitoring_is_enough(tmp_path: Path, scope: str) -> None:
    assert files.tokens(tokens_file(tmp_path, scope), NOW).ok


def test_tokens_without_the_scope_expired_ones_and_open_files_are_problems(tmp_path: Path) -> None:
    refuses(files.tokens(tokens_file(tmp_path, "read"), NOW), "understudy token add monitoring --scope alerts")
    refuses(files.tokens(tokens_file(tmp_path, "alerts", NOW - timedelta(seconds=1)), NOW), "scope alerts")
    file = tokens_file(tmp_path, "alerts")
    file.chmod(0o644)
    refuses(files.tokens(file, NOW), "chmod 0600")
    refuses(files.tokens(tmp_path / "none", NOW), "There is no tokens file")


def settings(folder: Path) -> Settings:
    (folder / "policies.yml").write_text(POLICIES)
    (folder / "calendar.yml").write_text(CALENDAR)
    return load(
        {
            "UNDERSTUDY_SITE": "cloud",
            "UNDERSTUDY_TOKENS_FILE": str(tokens_file(folder, "alerts")),
            "UNDERSTUDY_POLICIES_FILE": str(folder / "policies.yml"),
            "UNDERSTUDY_CALENDAR_FILE": str(folder / "calendar.yml"),
        }
    )


def test_policies_and_calendar_that_load_are_counted(tmp_path: Path) -> None:
    found, receivers = files.rules(settings(tmp_path))
    assert found.ok
    assert (found.text, receivers) == ("2 policies, 0 schedules, a calendar", ())


@pytest.mark.parametrize("name", ["policies.yml", "calendar.yml"])
def test_a_broken_one_is_a_problem_with_its_sentence(tmp_path: Path, name: str) -> None:
    given = settings(tmp_path)
    (tmp_path / name).write_text(f"{(tmp_path / name).read_text()}\ncolour: red\n")
    refuses(files.rules(given)[0], f"{name}: colour is not a key that is known here")


def test_every_action_needs_its_playbook(tmp_path: Path) -> None:
    for action in CATALOGUE.values():
        secret(tmp_path / "playbooks" / f"{action.playbook}.yml", "[]")
    assert files.playbooks(tmp_path).ok
    (tmp_path / "playbooks/scale_in.yml").unlink()
    refuses(files.playbooks(tmp_path), "playbooks/scale_in.yml", "UNDERSTUDY_PROJECT_DIR")


def test_a_vault_password_is_not_needed_and_must_not_be_open(tmp_path: Path) -> None:
    assert files.vault_password(None).ok
    assert files.vault_password(secret(tmp_path / "vault")).ok
    refuses(files.vault_password(secret(tmp_path / "vault", mode=0o644)), "mode 0644")


def test_addresses_of_notifications_are_secrets_that_can_be_read(tmp_path: Path) -> None:
    given = settings(tmp_path)
    url = secret(tmp_path / "duty.url", "json://example.test")
    notice = f"{POLICIES}\nnotifications:\n  - {{name: duty, url_file: {url}, 'on': [alarm]}}\n"
    (tmp_path / "policies.yml").write_text(notice)
    _, receivers = files.rules(given)
    assert files.receivers(receivers).text == "1 receivers"
    url.chmod(0o644)
    refuses(files.receivers(receivers), "duty: ", "mode 0644")
    secret(url, " \n")
    refuses(files.receivers(receivers), "is empty")
    url.unlink()
    refuses(files.receivers(receivers), "There is no file")


def two_sites(folder: Path, more: str = "") -> Path:
    return secret(
        folder / "inventory/two_sites.yml", f"plugin: two_sites\nclouds: [{{name: lab, site: cloud}}]\n{more}"
    )


def test_the_clouds_file_is_the_one_the_inventory_names_or_the_usual_one(tmp_path: Path) -> None:
    source = two_sites(tmp_path)
    usual = secret(tmp_path / "home/.config/openstack/clouds.yaml")
    home = {"HOME": str(tmp_path / "home")}
    assert files.clouds_file(source, home, tmp_path / "project") == usual
    assert files.clouds_file(source.parent, home, tmp_path / "project") == usual
    told = home | {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "told")}
    assert files.clouds_file(source, told, tmp_path / "project") == tmp_path / "told"
    two_sites(tmp_path, "clouds_yaml: own.yaml\n")
    assert files.clouds_file(source, told, tmp_path / "project") == source.parent / "own.yaml"


def test_clouds_are_named_and_others_do_not_reach_their_passwords(tmp_path: Path) -> None:
    source = two_sites(tmp_path)
    file = secret(tmp_path / "clouds.yaml", "clouds: {lab: {auth: {}}}")
    assert files.clouds(file, source).ok
    file.chmod(0o644)
    refuses(files.clouds(file, source), "mode 0644")
    refuses(files.clouds(secret(file, "cloud: {}"), source), "has no clouds in it")
    refuses(files.clouds(None, source), "OS_CLIENT_CONFIG_FILE")


def test_an_inventory_that_asks_no_cloud_needs_no_clouds_file(tmp_path: Path) -> None:
    assert files.clouds(None, secret(tmp_path / "hosts.yml", "all: {}")).ok


def test_a_certificate_that_holds_and_fits_its_key_is_fine(tmp_path: Path) -> None:
    assert files.certificate(*pair(tmp_path, NOW, 60), NOW).text == "holds until 2027-01-24"
    assert files.certificate(None, None, NOW).ok


@pytest.mark.parametrize(("days", "words"), [(10, "expires at 2026-12-05"), (-1, "expired at 2026-11-24")])
def test_one_that_ends_soon_or_has_ended_is_not(tmp_path: Path, days: float, words: str) -> None:
    refuses(files.certificate(*pair(tmp_path, NOW, days), NOW), words)


def test_one_of_another_key_is_not_nor_is_an_open_key(tmp_path: Path) -> None:
    certificate, _ = pair(tmp_path / "a", NOW, 60)
    _, key = pair(tmp_path / "b", NOW, 60)
    refuses(files.certificate(certificate, key, NOW), "cannot be used together")
    own = pair(tmp_path / "c", NOW, 60)
    own[1].chmod(0o644)
    refuses(files.certificate(*own, NOW), "mode 0644")
    refuses(files.certificate(tmp_path / "none", secret(tmp_path / "k"), datetime.now(UTC)), "cannot be used together")
