from __future__ import annotations

from lab import layout, network, topology
from tests.unit.lab.examples import files

LAB = topology.load()


def test_every_name_of_a_link_fits_into_fifteen_characters() -> None:
    nodes = [layout.cloud_node(LAB), *(layout.host_node(LAB, host) for host in LAB.hosts)]
    names = [name for node in nodes for wire in node.wires for name in (wire.port, wire.interface, wire.switch.name)]

    assert max(map(len, names)) <= 15


def test_hosts_reach_the_lab_through_their_gateway_and_everything_else_over_management() -> None:
    node = layout.host_node(LAB, LAB.host("colo-was1"))

    assert [(str(route.target), str(route.via)) for route in node.routes] == [
        ("10.210.0.0/16", "10.210.1.2"),
        ("0.0.0.0/0", "10.210.255.1"),
    ]


def test_a_gateway_reaches_the_lab_through_the_internet() -> None:
    node = layout.host_node(LAB, LAB.host("colo-gw1"))

    assert str(node.routes[0].via) == "10.210.101.1"
    assert {wire.interface for wire in node.wires} == {"mgmt0", "lan0", "wan0"}


def test_only_ports_of_the_management_network_are_isolated_from_each_other() -> None:
    wires = [wire for host in LAB.hosts for wire in layout.host_node(LAB, host).wires]

    assert {wire.interface for wire in wires if wire.isolated} == {"mgmt0"}
    assert all(wire.isolated for wire in wires if wire.interface == "mgmt0")


def test_the_cloud_has_two_public_and_two_management_ports() -> None:
    wires = {wire.interface: wire for wire in layout.cloud_node(LAB).wires}

    assert list(wires) == ["public", "api0", "management", "mgmt0"]
    assert str(wires["api0"].address) == "10.210.102.10/24"
    assert wires["public"].address is None
    assert str(wires["mgmt0"].address) == "10.210.255.2/24"


def test_the_network_behind_the_cloud_is_not_the_labs_to_make() -> None:
    assert "cloud-lan" not in {switch.name for switch in layout.wan_switches(LAB)}


def test_an_interface_keeps_its_hardware_address_over_a_loss_of_power_and_shares_it_with_no_other() -> None:
    wires = [wire for host in LAB.hosts for wire in layout.host_node(LAB, host).wires]
    addresses = [wire.hardware_address for wire in wires]

    assert len(set(addresses)) == len(wires)
    assert all(address.startswith("02:") for address in addresses)
    assert layout.host_node(LAB, LAB.host("colo-db1")).wires[0].hardware_address in addresses


def test_a_route_of_the_machine_that_overlaps_the_lab_is_a_conflict() -> None:
    small = topology.build(*files())

    assert network.conflicts(small, [("10.0.0.0/8", "eth1")]) == [
        "This machine already reaches 10.0.0.0/8 over eth1, and the lab needs 10.210.0.0/16 for itself; "
        "take the lab to a machine without that network."
    ]


def test_other_routes_and_molecules_own_network_are_no_conflict() -> None:
    small = topology.build(*files())

    assert network.conflicts(small, [("192.0.2.0/24", "eth0"), ("10.210.254.0/24", "cni-podman1")]) == []
