"""What users of Ansible's inventory plugins know: groups, expressions, cache, environment, patterns."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.inventory.conftest import ROOT
from tests.integration.inventory.openstack_api import server

if TYPE_CHECKING:
    from tests.integration.inventory.conftest import InventoryFolder
    from tests.integration.inventory.openstack_api import FakeCloud

ANSIBLE = str(Path(sys.executable).with_name("ansible"))
ANSIBLE_DOC = str(Path(sys.executable).with_name("ansible-doc"))


def test_the_groups_are_sites_and_functions_and_nothing_else(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [
        *cloud.servers,
        server("half", "was", status="BUILD"),
        server("bad", "was", status="ERROR"),
    ]
    run = folder.list()
    assert run.groups == {
        "colo": ["colo-db1"], "cloud": ["cloud-gw1", "cloud-was1"], "database": ["colo-db1"],
        "was": ["cloud-was1"], "gateway": ["cloud-gw1"], "edge": ["cloud-gw1"], "ungrouped": ["bad", "half"],
    }  # fmt: skip
    assert run.hosts["half"]["two_sites_status"] == "BUILD"
    assert run.errors == ""


def test_patterns_of_site_and_function_select_hosts(folder: InventoryFolder) -> None:
    folder.write()
    run = folder.run(ANSIBLE, "-i", str(folder.file), "--list-hosts", "gateway:&cloud")
    assert run.output.split() == ["hosts", "(1):", "cloud-gw1"]


def test_every_group_exists_even_when_empty(folder: InventoryFolder) -> None:
    folder.write()
    run = folder.run(ANSIBLE, "-i", str(folder.file), "--list-hosts", "observer:&witness")
    assert run.status == 0
    assert "Could not match" not in run.errors


def test_the_environment_decides_how_hosts_are_reached(folder: InventoryFolder, cloud: FakeCloud) -> None:
    cloud.servers = [cloud.servers[0]]
    folder.fixed_hosts = {"hosts": {}}
    folder.configuration["reach_over"] = "management"
    assert folder.list().hosts["cloud-was1"]["ansible_host"] == "10.231.0.11"
    over_site = folder.list(UNDERSTUDY_REACH_OVER="site")
    assert over_site.hosts["cloud-was1"]["ansible_host"] == "10.230.0.11"


def test_constructed_groups_and_variables_work(folder: InventoryFolder) -> None:
    folder.configuration |= {
        "keyed_groups": [{"key": "two_sites_server.flavor", "prefix": "flavor"}],
        "groups": {"in_the_cloud": "two_sites_source != 'fixed'"},
        "compose": {"label": "two_sites_site ~ '/' ~ inventory_hostname", "rack": "two_sites_addresses.lan"},
    }
    run = folder.list()
    assert run.groups["flavor_was_small"] == ["cloud-gw1", "cloud-was1"]
    assert run.groups["in_the_cloud"] == ["cloud-gw1", "cloud-was1"]
    # What an expression makes is never taken for a template, and Ansible marks it so.
    assert run.hosts["colo-db1"]["label"] == {"__ansible_unsafe": "colo/colo-db1"}
    assert run.hosts["cloud-gw1"]["rack"] == "10.230.0.2"


def test_strict_makes_a_wrong_expression_an_error(folder: InventoryFolder) -> None:
    folder.configuration["compose"] = {"label": "no_such_variable.x"}
    assert folder.list().status == 0
    folder.configuration["strict"] = True
    assert folder.list().status != 0


def test_variables_in_the_file_may_be_templates_and_a_clouds_text_never_is(
    folder: InventoryFolder, cloud: FakeCloud
) -> None:
    evil = "{{ lookup('pipe', 'touch hacked') }}"
    metadata = {"understudy_function": "was", "note": evil}
    cloud.servers = [server("cloud-was1", None, "10.230.0.11", metadata=metadata)]
    folder.fixed_hosts["hosts"]["colo-db1"]["vars"] = {"greeting": "{{ 'he' ~ 'llo' }}"}
    folder.configuration["compose"] = {"noted": "two_sites_server.metadata.note | default('')"}
    folder.write()
    say = ("-c", "local", "-m", "ansible.builtin.debug", "-a")
    told = [
        folder.run(ANSIBLE, "-i", str(folder.file), name, *say, f"msg={text}")
        for name, text in (("colo-db1", "{{ greeting }}"), ("cloud-was1", "{{ noted }}"))
    ]
    assert "hello" in told[0].output
    assert "lookup(" in told[1].output
    assert not (folder.path / "hacked").exists()


def test_a_play_ends_although_a_cloud_still_trickles(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    cloud.fault = "trickle"
    run = folder.run(
        ANSIBLE, "-i", str(folder.file), "all", "-c", "local", "-m", "ansible.builtin.debug", "-a", "msg=here"
    )
    assert run.status == 0
    assert run.output.count('"msg": "here"') == 3
    assert run.took_seconds < 20


def test_the_cache_spares_the_cloud_and_says_how_old_it_is(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.configuration |= {"cache": True, "cache_plugin": "jsonfile", "cache_connection": "cache"}
    folder.list()
    assert cloud.asked == 1
    (file,) = (folder.path / "cache").iterdir()
    made_older(file, 100)
    cloud.fault = "error"
    cached = folder.list()
    assert cloud.asked == 1
    assert cached.errors == ""
    assert cached.hosts["cloud-was1"]["two_sites_stale"] is False
    assert cached.hosts["cloud-was1"]["two_sites_snapshot_age_seconds"] >= 100
    flushed = folder.list("--flush-cache")
    assert cloud.asked == 2
    assert flushed.hosts["cloud-was1"]["two_sites_stale"] is True


def test_a_silent_clouds_list_is_not_cached(folder: InventoryFolder, cloud: FakeCloud) -> None:
    folder.keep_last_good(cloud)
    folder.configuration |= {"cache": True, "cache_plugin": "jsonfile", "cache_connection": "cache"}
    cloud.fault = "error"
    assert folder.list().hosts["cloud-was1"]["two_sites_stale"] is True
    cloud.fault = "none"
    assert folder.list().hosts["cloud-was1"]["two_sites_stale"] is False


def test_it_works_under_its_full_name_in_an_installed_collection(folder: InventoryFolder) -> None:
    home = folder.path / "collections/ansible_collections/understudy/hybrid"
    shutil.copytree(ROOT / "plugins", home / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "galaxy.yml").write_text((ROOT / "galaxy.yml").read_text())
    merging = home / "plugins/plugin_utils/two_sites/merge.py"  # a mark that tells it from the tree itself
    merging.write_text(merging.read_text().replace('"FIXED"', '"INSTALLED"'))
    folder.configuration["plugin"] = "understudy.hybrid.two_sites"
    run = folder.list(ANSIBLE_COLLECTIONS_PATH=str(folder.path / "collections"), ANSIBLE_INVENTORY_ENABLED="auto")
    assert run.status == 0, run.errors
    assert run.hosts["colo-db1"]["two_sites_status"] == "INSTALLED"
    assert run.groups["was"] == ["cloud-was1"]


def test_every_option_is_in_the_documentation(folder: InventoryFolder) -> None:
    run = folder.run(ANSIBLE_DOC, "-t", "inventory", "understudy.hybrid.two_sites", "--json")
    assert run.status == 0, run.errors
    options = json.loads(run.output)["understudy.hybrid.two_sites"]["doc"]["options"]
    assert {"sites", "clouds", "reach_over_override", "keyed_groups", "cache"} <= set(options)
    assert all(option["description"] for option in options.values())


def test_the_production_example_is_read_up_to_its_clouds(folder: InventoryFolder) -> None:
    example = ROOT / "inventories/production/two_sites.yml"
    folder.write()
    listing = (folder.path / "two_sites.yml").with_name("example")
    listing.mkdir()
    text = example.read_text().replace("/etc/understudy/clouds.yaml", "clouds.yaml")
    (listing / "two_sites.yml").write_text(text)
    (listing / "fixed_hosts.yml").write_text((example.parent / "fixed_hosts.yml").read_text())
    (listing / "clouds.yaml").write_text((example.parent / "clouds.example.yaml").read_text())
    run = folder.run(
        str(Path(ANSIBLE).with_name("ansible-inventory")), "-i", str(listing / "two_sites.yml"), "--list",
        UNDERSTUDY_LAST_GOOD_DIRECTORY=str(folder.path),
    )  # fmt: skip
    assert run.status != 0
    assert "clouds.cinema" in run.sentence or "Cloud 'cinema' gave no complete list" in run.sentence


def made_older(file: Path, seconds: int) -> None:
    """Change the times inside a cache file, not that of the file."""
    text = file.read_text()
    found = re.search(r"fetched_at_epoch_seconds\W+(\d{10})", text)
    assert found
    file.write_text(text.replace(found[1], str(int(found[1]) - seconds)))


def test_a_process_that_forks_for_each_run_has_imported_what_asks_a_cloud(folder: InventoryFolder) -> None:
    folder.write()
    asking = (
        "import sys\n"
        "from ansible.plugins.loader import init_plugin_loader, inventory_loader\n"
        "init_plugin_loader()\n"
        "plugin = inventory_loader.get('understudy.hybrid.two_sites', class_only=True)\n"
        "before = 'openstack.config' in sys.modules\n"
        "plugin.preload()\n"
        "print(before, 'openstack.config' in sys.modules)\n"
    )
    run = folder.run(sys.executable, "-c", asking)
    assert (run.status, run.output.split()) == (0, ["False", "True"]), run.errors
