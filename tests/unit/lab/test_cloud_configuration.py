from __future__ import annotations

import configparser
import re
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from lab import cloud_configuration, cloud_operator, cloud_settings, topology
from lab.cloud_configuration import Secrets
from lab.cloud_files import replace_text
from lab.cloud_layout import Layout
from lab.paths import Paths
from tests.unit.lab.examples import files

SECRETS = Secrets(*(f"secret-{number}" for number in range(8)))
FLAVOUR = {"name": "was.small", "ram": 512, "vcpus": 1, "disk": 1}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(Paths(tmp_path / "state", tmp_path / "cache", tmp_path / "run"))


@pytest.fixture
def settings() -> cloud_settings.Settings:
    return cloud_settings.of(
        topology.build(*files()), region="lab", project="understudy", server_quota=20, flavours=[FLAVOUR],
        api_names=["api.cloud.understudy.test"],
    )  # fmt: skip


def test_only_management_gives_a_server_its_default_route(settings: cloud_settings.Settings) -> None:
    gateways = {each.name: each.gateway for each in settings.provider_networks}

    assert gateways == {"public": None, "management": IPv4Address("10.210.255.1")}


def test_a_server_reaches_the_whole_lab_over_the_public_router(settings: cloud_settings.Settings) -> None:
    public = next(each for each in settings.provider_networks if each.name == "public")

    assert [(str(target), str(via)) for target, via in public.host_routes] == [("10.210.0.0/16", "10.210.102.1")]


def test_every_service_gets_its_configuration(layout: Layout, settings: cloud_settings.Settings) -> None:
    written = cloud_configuration.render(layout, settings, SECRETS)

    names = {str(path.relative_to(layout.etc)) for path in written if layout.etc in path.parents}
    assert {
        "keystone/keystone.conf",
        "nova/nova.conf",
        "neutron/neutron.conf",
        "haproxy.cfg",
        "supervisord.conf",
    } <= names


def test_no_secret_is_on_a_command_line(layout: Layout, settings: cloud_settings.Settings) -> None:
    supervisor = cloud_configuration.render(layout, settings, SECRETS)[layout.etc / "supervisord.conf"]
    parser = configparser.RawConfigParser(strict=True)
    parser.read_string(supervisor)

    commands = [parser[section]["command"] for section in parser.sections() if section.startswith("program:")]
    assert len(commands) > 20
    assert not [command for command in commands if "secret-" in command]


def test_the_services_reach_each_other_without_leaving_the_loopback(
    layout: Layout, settings: cloud_settings.Settings
) -> None:
    written = cloud_configuration.render(layout, settings, SECRETS)

    for name in ("nova/nova.conf", "neutron/neutron.conf", "glance/glance-api.conf", "placement/placement.conf"):
        urls = re.findall(r"^auth_url = (\S+)$", written[layout.etc / name], re.MULTILINE)
        assert set(urls) == {"http://127.0.0.1:5000/v3"}


def test_nova_compute_is_not_given_the_databases(layout: Layout, settings: cloud_settings.Settings) -> None:
    written = cloud_configuration.render(layout, settings, SECRETS)

    assert "mysql" not in written[layout.etc / "nova/nova.conf"]
    assert "mysql" in written[layout.etc / "nova/database.conf"]


def test_secrets_are_made_once_and_only_root_can_read_them(layout: Layout) -> None:
    first = cloud_configuration.secrets_of(layout)

    assert cloud_configuration.secrets_of(layout) == first
    assert layout.secrets.stat().st_mode & 0o777 == 0o600
    assert len({first.admin, first.operator, first.service, first.messages}) == 4


def test_a_cloud_without_certificates_differs_from_what_is_wanted(
    layout: Layout, settings: cloud_settings.Settings
) -> None:
    assert cloud_configuration.differs(layout, settings)
    assert not layout.home.exists()


def test_the_operators_file_has_an_ordinary_user_and_an_administrator(
    layout: Layout, settings: cloud_settings.Settings
) -> None:
    assert cloud_operator.write_clouds(layout, settings)
    assert not cloud_operator.write_clouds(layout, settings)

    path = cloud_operator.clouds_yaml(layout)
    clouds = yaml.safe_load(path.read_text())["clouds"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert {name: cloud["auth"]["username"] for name, cloud in clouds.items()} == {
        "lab": "operator", "lab-admin": "admin",
    }  # fmt: skip
    assert {cloud["auth"]["auth_url"] for cloud in clouds.values()} == {"https://10.210.255.2:5000/v3"}


def test_a_file_of_another_mode_counts_as_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert replace_text(path, "text", 0o600)
    assert not replace_text(path, "text", 0o600)

    path.chmod(0o644)

    assert replace_text(path, "text", 0o600)
    assert path.stat().st_mode & 0o777 == 0o600
