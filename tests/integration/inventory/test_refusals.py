"""A file that is wrong is an error with its name, and the command fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.inventory.openstack_api import server

if TYPE_CHECKING:
    from tests.integration.inventory.conftest import InventoryFolder
    from tests.integration.inventory.openstack_api import FakeCloud


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sitez": {}}, "two_sites.yml: sitez is {}; expected no such key"),
        ({"clouds_yaml": "gone.yaml"}, "two_sites.yml: clouds_yaml is '"),
        ({"clouds": [{"name": "moon", "site": "cloud"}]},
         "two_sites.yml: clouds[0].name is 'moon'; expected a cloud of"),
        ({"fixed_hosts": "gone.yml"}, "two_sites.yml: fixed_hosts is '"),
        ({"management_networks": ["10.230.1.0/24"]}, "two_sites.yml: management_networks[0] is '10.2"),
        ({"reach_over_override": "site"}, "two_sites.yml: reach_over_override is 'site'; expected no"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_fails_with_file_key_and_value(
    folder: InventoryFolder, changes: dict[str, Any], sentence: str
) -> None:
    folder.configuration |= changes
    run = folder.list()
    assert run.status != 0
    assert run.output == ""
    assert sentence in run.sentence


def test_a_server_in_no_site_fails_with_cloud_and_address(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [server("stray", "was", "172.16.0.1")]
    run = folder.list()
    assert run.status != 0
    assert "cloud 'lab': servers[" in run.sentence
    assert "].addresses of stray is '172.16.0.1'; expected an address in a network of site cloud" in run.sentence


def test_a_name_in_both_sites_fails(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [server("colo-db1", "was", "10.230.0.9")]
    run = folder.list()
    assert run.status != 0
    assert "name is 'colo-db1'; expected a name that no other host has; hosts.colo-db1 has it" in run.sentence


def test_a_host_written_twice_fails_with_both_lines(folder: InventoryFolder) -> None:
    folder.write()
    entry = "  a: {addresses: {lan: 10.220.0.1}, functions: [was]}\n"
    (folder.path / "fixed_hosts.yml").write_text(f"hosts:\n{entry}{entry}")
    run = folder.list_as_written()
    assert run.status != 0
    assert "fixed_hosts.yml: hosts.a is 'a'" in run.sentence
    assert "lines 2 and 3" in run.sentence


def test_without_the_setting_the_error_says_that_ansible_goes_on_empty(folder: InventoryFolder) -> None:
    folder.configuration["sitez"] = {}
    run = folder.list(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="false")
    assert "set any_unparsed_is_failed = true in section [inventory]" in run.sentence
    assert "set any_unparsed" not in folder.list().sentence


def test_no_clouds_yaml_anywhere_names_the_places(folder: InventoryFolder) -> None:
    del folder.configuration["clouds_yaml"]
    folder.write()
    (folder.path / "clouds.yaml").unlink()
    run = folder.list_as_written(HOME=str(folder.path / "home"))
    assert run.status != 0
    assert "clouds_yaml is None; expected an existing clouds.yaml; looked for" in run.sentence
