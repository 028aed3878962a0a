"""Every fault of a cloud through the one module that speaks to it, without waiting for Ansible."""

from __future__ import annotations

import json
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from plugins.plugin_utils.two_sites.asking import Silence, ask_all
from plugins.plugin_utils.two_sites.clouds_file import connections_to
from plugins.plugin_utils.two_sites.configuration import read_configuration
from plugins.plugin_utils.two_sites.errors import TwoSitesError
from tests.integration.inventory.openstack_api import PASSWORD, TOKEN, record, server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.plugin_utils.two_sites.compute_api import Connection
    from tests.integration.inventory.conftest import InventoryFolder
    from tests.integration.inventory.openstack_api import FakeCloud, Fault

LIMIT_SECONDS = 0.5


def connections(folder: InventoryFolder) -> Mapping[str, Connection]:
    configuration = read_configuration(str(folder.file), folder.configuration)
    with warnings.catch_warnings():  # the sdk warns of a service that nobody here uses
        warnings.simplefilter("ignore")
        return connections_to(configuration, folder.path / "clouds.yaml")


def heard(folder: InventoryFolder) -> list[str] | Silence:
    """Ask the folder's cloud; gives its servers' names or its silence."""
    folder.write()
    outcome = ask_all({"lab": (connections(folder)["lab"].ask, LIMIT_SECONDS)})["lab"]
    return outcome if isinstance(outcome, Silence) else [each.name for each in outcome]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("hang", "no complete answer within 0.5 s"),
        ("trickle", "no complete answer within 0.5 s"),
        ("hang_at_login", "no complete answer within 0.5 s"),
        ("unauthorized", "(it refuses the credentials of clouds.yaml)"),
        ("error", "HTTP 500 from http://127.0.0.1"),
        ("echo", "HTTP 500 from http://127.0.0.1"),
        ("broken_json", "is not JSON"),
        ("broken_login", "an answer that is not the JSON it should be"),
        ("no_servers", "the answer has no list 'servers'"),
        ("second_page", "HTTP 500 from http://127.0.0.1"),
        ("circle", "the pages go in a circle"),
    ],
)
def test_a_fault_is_silence_with_a_cause_and_without_secrets(
    folder: InventoryFolder, cloud: FakeCloud, fault: Fault, cause: str
) -> None:
    cloud.page_length = 1 if fault == "second_page" else 1000
    cloud.fault = fault
    started = time.monotonic()
    outcome = heard(folder)
    assert isinstance(outcome, Silence)
    assert cause in outcome.cause
    assert time.monotonic() - started < 10
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], TOKEN):
        assert secret not in outcome.cause


def test_a_server_in_a_cell_that_is_down_makes_the_answer_partial(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [cloud.servers[0], {"id": cloud.servers[1]["id"], "status": "UNKNOWN", "links": []}]
    outcome = heard(folder)
    assert isinstance(outcome, Silence)
    assert "a cell of the cloud is down" in outcome.cause


def test_an_answer_of_many_pages_is_read_to_the_end_whatever_its_links_name(
    folder: InventoryFolder, cloud: FakeCloud
) -> None:
    cloud.servers = [record(number) for number in range(7)]
    cloud.page_length = 2
    cloud.link_root = "http://internal.example.com"
    assert heard(folder) == [f"cloud-was{number}" for number in range(7)]
    assert cloud.asked == 4


def test_an_old_cloud_and_one_with_an_unversioned_address_are_read(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.oldest = True
    cloud.versioned = False
    assert heard(folder) == ["cloud-was1", "cloud-gw1"]


def test_servers_of_others_are_left_out_unless_wanted(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [server("foreign", None, "10.230.0.9")]
    assert heard(folder) == []
    folder.configuration["only_ours"] = False
    assert heard(folder) == ["foreign"]


def test_a_secret_in_the_cause_is_hidden(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.password = "refused"
    cloud.stop()
    outcome = heard(folder)
    assert isinstance(outcome, Silence)
    assert outcome.cause.startswith("connection *** at http://127.0.0.1")


def test_lists_of_two_projects_or_clouds_never_share_an_identity_and_a_new_password_changes_none(
    folder: InventoryFolder,
) -> None:
    identities = []
    for project, password in (("a", "x"), ("b", "x"), ("a", "y")):
        folder.project, folder.password = project, password
        folder.write()
        identities.append(connections(folder)["lab"].identity)
    assert identities[0] != identities[1]
    assert identities[0] == identities[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clouds: {lab: {auth: {password: SECRET\n", "is not YAML"),
        ("clouds: {lab: {auth: {password: *SECRET}}}\n", "line 1, column 33 is not YAML"),
        ("clouds: [SECRET]\n", "the key clouds is missing or no mapping"),
        ("clouds: {lab: {auth: SECRET}}\n", "clouds.lab or its auth is no mapping"),
        ("clouds: {lab: {auth: {password: SECRET}}}\n", "clouds.lab is refused"),
        ("clouds: {lab: {auth_type: SECRET, auth: {password: SECRET}}}\n", "clouds.lab is refused"),
        ("clouds: {lab: {auth: {auth_url: http://h:1, password: SECRET}, cacert: /gone.crt}}\n",
         "clouds.lab.cacert is '/gone.crt'; expected an existing file"),
    ],
)  # fmt: skip
def test_a_broken_clouds_yaml_is_named_and_not_repeated(folder: InventoryFolder, text: str, sentence: str) -> None:
    (folder.path / "clouds.yaml").write_text(text)
    with pytest.raises(TwoSitesError) as refusal:
        connections(folder)
    assert str(refusal.value).startswith(f"{folder.path}/clouds.yaml")
    assert sentence in str(refusal.value)
    assert "SECRET" not in str(refusal.value)


def test_a_secret_in_secure_yaml_beside_the_file_is_used(folder: InventoryFolder) -> None:
    folder.write()
    file = folder.path / "clouds.yaml"
    lines = [line for line in file.read_text().splitlines() if "password" not in line]
    (folder.path / "secure.yaml").write_text(f"clouds: {{lab: {{auth: {{password: '{PASSWORD}'}}}}}}\n")
    file.write_text("\n".join(lines) + "\n")
    assert connections(folder)["lab"].ask(time.monotonic() + 10)
