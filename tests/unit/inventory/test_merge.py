from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.plugin_utils.two_sites.errors import RefusedValueError
from tests.unit.inventory.examples import answer, by_name, fixed, merged, server

if TYPE_CHECKING:
    from plugins.plugin_utils.two_sites.servers import Server

WAS1 = {"colo-was1": fixed({"lan": "10.210.1.11", "management": "10.210.255.12"})}


def test_a_fixed_host_is_in_the_groups_of_its_site_and_functions() -> None:
    inventory = merged({"colo-gw1": fixed({"lan": "10.210.1.2"}, ("gateway", "edge"))})
    host = by_name(inventory)["colo-gw1"]
    assert host.groups == ("colo", "gateway", "edge")
    assert host.variables["two_sites_source"] == "fixed"
    assert host.variables["two_sites_status"] == "FIXED"


def test_a_server_is_in_the_groups_of_its_clouds_site_and_its_functions() -> None:
    inventory = merged({}, answer(server("cloud-gw1", "10.210.2.2", function=" edge, gateway ")))
    host = by_name(inventory)["cloud-gw1"]
    assert host.groups == ("cloud", "gateway", "edge")
    assert host.variables["two_sites_functions"] == ["gateway", "edge"]
    assert host.variables["two_sites_source"] == "lab"


def test_every_host_has_the_same_variables() -> None:
    inventory = merged(WAS1, answer(server("cloud-was1", "10.210.2.11")))
    first, second = (set(host.variables) for host in inventory.hosts)
    assert first == second
    assert len(first) == 10


def test_the_hosts_variables_of_the_file_are_kept() -> None:
    inventory = merged({"colo-was1": fixed({"lan": "10.210.1.11"}, vars={"rack": 7})})
    assert by_name(inventory)["colo-was1"].written_variables == {"rack": 7}


def test_site_reach_takes_the_first_network_in_the_order_of_the_file() -> None:
    inventory = merged({}, answer(server("cloud-gw1", "10.210.102.2", "10.210.255.100", "10.210.2.2")))
    assert by_name(inventory)["cloud-gw1"].variables["ansible_host"] == "10.210.2.2"


def test_site_reach_takes_the_next_network_when_the_first_has_no_address() -> None:
    inventory = merged({}, answer(server("cloud-gw1", "10.210.102.2", "10.210.255.100")))
    assert by_name(inventory)["cloud-gw1"].variables["ansible_host"] == "10.210.102.2"


def test_management_reach_takes_the_management_address() -> None:
    inventory = merged(WAS1, reach_over="management")
    assert by_name(inventory)["colo-was1"].variables["ansible_host"] == "10.210.255.12"


def test_a_fixed_host_that_cannot_be_reached_is_refused() -> None:
    hosts = {"colo-was1": fixed({"lan": "10.210.1.11"})}
    with pytest.raises(RefusedValueError, match=r"hosts\.colo-was1\.addresses is .* called management"):
        merged(hosts, reach_over="management")


def test_a_running_server_that_cannot_be_reached_is_in_no_group_and_warned_about() -> None:
    inventory = merged({}, answer(server("cloud-was1", "10.210.255.100")))
    host = by_name(inventory)["cloud-was1"]
    assert host.groups == ()
    assert "ansible_host" not in host.variables
    assert inventory.warnings == (
        "Cloud 'lab', server cloud-was1: running without an address to reach it over (site), so in no group.",
    )


@pytest.mark.parametrize("status", ["BUILD", "ERROR", "SHUTOFF", "DELETED"])
def test_a_server_that_does_not_run_is_listed_in_no_group(status: str) -> None:
    inventory = merged({}, answer(server("cloud-was1", status=status)))
    host = by_name(inventory)["cloud-was1"]
    assert host.groups == ()
    assert host.variables["two_sites_site"] == "cloud"
    assert host.variables["two_sites_status"] == status
    assert inventory.warnings == ()


@pytest.mark.parametrize("status", ["ACTIVE", "REBOOT", "VERIFY_RESIZE"])
def test_a_server_whose_machine_runs_is_in_its_groups(status: str) -> None:
    inventory = merged({}, answer(server("cloud-was1", "10.210.2.11", status=status)))
    assert by_name(inventory)["cloud-was1"].groups == ("cloud", "was")


def test_the_running_states_can_be_chosen() -> None:
    answers = answer(server("cloud-was1", "10.210.2.11", status="BUILD"))
    inventory = merged({}, answers, running_states=["ACTIVE", "BUILD"])
    assert by_name(inventory)["cloud-was1"].groups == ("cloud", "was")


def test_a_server_without_our_metadata_is_left_out() -> None:
    inventory = merged({}, answer(server("foreign", "192.168.1.1", function=None)))
    assert inventory.hosts == ()


def test_a_server_without_our_metadata_can_be_listed_at_its_site() -> None:
    inventory = merged({}, answer(server("foreign", "10.210.2.9", function=None)), only_ours=False)
    assert by_name(inventory)["foreign"].groups == ("cloud",)


def test_an_unknown_function_is_a_warning_and_the_known_ones_count() -> None:
    inventory = merged({}, answer(server("cloud-was1", "10.210.2.11", function="was,wizard")))
    assert by_name(inventory)["cloud-was1"].groups == ("cloud", "was")
    assert inventory.warnings == (
        "Cloud 'lab', server cloud-was1: understudy_function names 'wizard'; known are gateway, edge, was, database.",
    )


def test_an_empty_function_is_a_warning() -> None:
    inventory = merged({}, answer(server("cloud-was1", "10.210.2.11", function=" ,")))
    assert by_name(inventory)["cloud-was1"].groups == ("cloud",)
    assert "understudy_function is empty" in inventory.warnings[0]


def test_the_same_warning_about_many_servers_is_one_sentence() -> None:
    servers = [server(f"was{number}", f"10.210.2.{number}", function="x") for number in range(1, 9)]
    inventory = merged({}, answer(*servers))
    assert len(inventory.warnings) == 1
    assert "was1, was2, was3, was4, was5 and 3 more" in inventory.warnings[0]


@pytest.mark.parametrize(("text", "burst"), [("true", True), ("True", True), ("false", False), ("1", False)])
def test_burst_is_what_the_metadata_says(text: str, burst: bool) -> None:
    made = server("was9", "10.210.2.9", metadata={"understudy_function": "was", "burst": text})
    assert by_name(merged({}, answer(made)))["was9"].variables["two_sites_burst"] is burst


def test_hosts_of_a_stale_list_are_marked_with_its_age_and_fixed_hosts_are_not() -> None:
    inventory = merged(WAS1, answer(server("cloud-was1", "10.210.2.11"), stale=True, age=340))
    hosts = by_name(inventory)
    assert hosts["cloud-was1"].variables["two_sites_stale"] is True
    assert hosts["cloud-was1"].variables["two_sites_snapshot_age_seconds"] == 340
    assert hosts["colo-was1"].variables["two_sites_stale"] is False
    assert hosts["colo-was1"].variables["two_sites_snapshot_age_seconds"] == 0


def test_the_age_of_a_list_from_the_future_is_zero() -> None:
    inventory = merged({}, answer(server("cloud-was1", "10.210.2.11"), stale=True, age=-60))
    assert by_name(inventory)["cloud-was1"].variables["two_sites_snapshot_age_seconds"] == 0


def test_addresses_are_named_after_their_networks() -> None:
    made = server("cloud-gw1", "10.210.2.2", "10.210.102.2", "10.210.255.100", "fd00:2::2")
    assert by_name(merged({}, answer(made)))["cloud-gw1"].variables["two_sites_addresses"] == {
        "lan": "10.210.2.2", "public": "10.210.102.2", "management": "10.210.255.100", "lan6": "fd00:2::2",
    }  # fmt: skip


def test_of_two_addresses_in_one_network_the_first_counts_and_both_are_taken() -> None:
    both = answer(server("a", "10.210.2.5", "10.210.2.9"))
    assert by_name(merged({}, both))["a"].variables["two_sites_addresses"] == {"lan": "10.210.2.5"}
    with pytest.raises(RefusedValueError, match=r"'10\.210\.2\.9'; expected an address that stands once"):
        merged({}, answer(server("a", "10.210.2.5", "10.210.2.9"), server("b", "10.210.2.9")))


@pytest.mark.parametrize(
    ("hosts", "servers", "others", "message"),
    [
        (WAS1, [server("colo-was1", "10.210.2.11")], [],
         r"cloud 'lab': servers\[id-of-colo-was1\]\.name is 'colo-was1'; expected a name that no other host"
         r" has; hosts\.colo-was1 has it\."),
        ({}, [server("a", "10.210.2.1"), server("a", "10.210.2.2", id="second")], [],
         r"servers\[second\]\.name is 'a'; .* servers\[id-of-a\] of cloud 'lab' has it"),
        ({}, [server("a", "10.210.2.1")], [server("a", "10.210.2.2")],
         r"cloud 'other': servers\[id-of-a\]\.name is 'a'"),
        ({}, [server("was", "10.210.2.1")], [],
         r"name is 'was'; expected a host name that is not also the name of a site or function"),
        ({"cloud": fixed({"lan": "10.210.1.1"})}, [], [],
         r"fixed_hosts\.yml: hosts\.cloud is 'cloud'; expected a host name that is not also"),
        ({}, [server("web one", "10.210.2.1")], [], r"name is 'web one'; expected a name of letters"),
        ({}, [server("localhost", "10.210.2.1")], [], r"name is 'localhost'; .* rename the server"),
        ({"a": fixed({"lan": "10.210.1.1"}), "b": fixed({"lan": "10.210.1.1"})}, [], [],
         r"hosts\.b\.addresses\.lan is '10\.210\.1\.1'; expected an address that stands once;"
         r" hosts\.a has it"),
        ({"a": fixed({"lan": "10.210.1.1", "management": "10.210.255.9"})},
         [server("b", "10.210.2.1", "10.210.255.9")], [],
         r"servers\[id-of-b\]\.addresses of b is '10\.210\.255\.9'; expected an address that stands once"),
        ({}, [server("a", "10.210.2.1")], [server("b", "10.210.2.1")],
         r"cloud 'other': .* is '10\.210\.2\.1'; .* servers\[id-of-a\]\.addresses of a in cloud 'lab' has"),
        ({"a": fixed({"lan": "10.9.9.9"})}, [], [],
         r"fixed_hosts\.yml: hosts\.a\.addresses\.lan is '10\.9\.9\.9'; expected an address in a network"),
        ({}, [server("a", "10.210.3.1")], [], r"addresses of a is '10\.210\.3\.1'; .* network of site cloud"),
        ({}, [server("a", "10.9.9.9")], [], r"addresses of a is '10\.9\.9\.9'; .* network of site cloud"),
        ({}, [server("a", "10.210.1.9")], [],
         r"'10\.210\.1\.9'; expected an address at cloud, the cloud's site; sites\.colo\.networks\.lan has"),
        ({"a": fixed({"lan": "10.210.101.9"})}, [], [],
         r"expected an address in a network called lan; this one is in sites\.colo\.networks\.public"),
        ({"a": fixed({"lan": "10.210.1.9", "public": "10.210.102.9"})}, [], [],
         r"hosts\.a\.addresses\.public is .* expected an address at colo, as the host's other addresses are"),
        ({"a": fixed({"management": "10.210.255.9"})}, [], [],
         r"hosts\.a\.addresses is .* management places no host"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_with_its_place_and_value(
    hosts: dict[str, Any], servers: list[Server], others: list[Server], message: str
) -> None:
    with pytest.raises(RefusedValueError, match=message):
        merged(hosts, answer(*servers), answer(*others, cloud="other"))


def test_equal_addresses_of_other_versions_and_neighbours_are_let_through() -> None:
    hosts = {
        "a": fixed({"lan": "10.210.1.1"}),
        "b": fixed({"lan": "10.210.1.2", "management": "10.210.255.1"}),
    }
    inventory = merged(hosts, answer(server("c", "10.210.2.1", "fd00:2::1")), answer(cloud="other"))
    assert [host.name for host in inventory.hosts] == ["a", "b", "c"]


def test_another_spelling_of_the_same_address_is_still_the_same_address() -> None:
    with pytest.raises(RefusedValueError, match="fd00:2::1"):
        merged({}, answer(server("a", "fd00:2::1"), server("b", "fd00:2:0:0:0:0:0:1")))


@given(st.permutations(range(6)))
@settings(max_examples=25)
def test_the_inventory_does_not_depend_on_the_order_of_the_answer(order: list[int]) -> None:
    servers = [server(f"was{number}", f"10.210.2.{number + 1}") for number in range(6)]
    assert merged({}, answer(*(servers[each] for each in order))) == merged({}, answer(*servers))
