from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from lab import cloud, cloud_content, cloud_guard, cloud_settings, guests, topology
from lab.cloud_layout import API_PORTS, OBJECT_STORAGE_PORT
from lab.errors import CommandError

PORTS = tuple(API_PORTS.values())
DEFINITION = """
<domain type="lxc"><name>instance-00000002</name>
  <metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
    <nova:name>cloud-was1</nova:name></nova:instance></metadata>
  <devices>
    <interface type="bridge"><source bridge="brq48a48124-04"/><target dev="tapfa6538e8-6b"/></interface>
    <interface type="bridge"><source bridge="brq086c175c-b4"/><target dev="tapd64c54c5-4d"/></interface>
  </devices>
</domain>
"""


def test_an_api_that_hangs_answers_nothing_not_even_on_open_connections() -> None:
    rules = cloud.fault_rules("t", "hang", PORTS)

    assert 'input iifname != "lo" tcp dport { 5000, 8774, 8778, 9292, 9696 } drop' in rules
    assert "reject" not in rules
    assert "ct state" not in rules


def test_an_api_that_is_down_refuses_at_once() -> None:
    assert "reject with tcp reset" in cloud.fault_rules("t", "down", PORTS)


def test_an_api_that_is_up_again_leaves_no_rule() -> None:
    assert cloud.fault_rules("t", "up", PORTS).splitlines() == ["table inet t", "delete table inet t"]


def test_a_fault_replaces_the_one_before() -> None:
    lines = cloud.fault_rules("t", "down", PORTS).splitlines()

    assert lines.index("delete table inet t") < lines.index("add table inet t")


def test_the_apis_fail_without_the_object_storage() -> None:
    assert OBJECT_STORAGE_PORT not in PORTS


def test_the_services_never_notice_a_fault_of_the_public_side() -> None:
    rules = [line for line in cloud.fault_rules("t", "hang", PORTS).splitlines() if line.startswith("add rule")]

    assert len(rules) == 2
    assert all('ifname != "lo"' in rule for rule in rules)


def test_a_guest_is_known_by_its_servers_name_with_its_cables() -> None:
    found = guests.parse([DEFINITION])

    assert found["cloud-was1"].domain == "instance-00000002"
    assert found["cloud-was1"].taps == {"tapfa6538e8-6b": "brq48a48124-04", "tapd64c54c5-4d": "brq086c175c-b4"}


def test_a_definition_that_is_not_novas_is_no_guest() -> None:
    assert guests.parse(["<domain><name>other</name></domain>"]) == {}


def test_a_server_is_waited_for_also_while_nova_defines_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [guests.parse([DEFINITION])]
    states = iter(["shut off", "gone", "running"])

    def virsh(*_: object) -> str:
        if (state := next(states)) == "gone":
            raise CommandError("virsh: failed to get domain 'instance-00000002'", 1, "")
        return state

    monkeypatch.setattr(guests, "_guests", lambda _: known.pop() if known else {})
    monkeypatch.setattr(guests, "_virsh", virsh)
    cloud_of_one = MagicMock()
    monkeypatch.setattr(cloud_content, "connect", lambda *_: cloud_of_one)

    guests.power_on("cloud-was1")

    cloud_of_one.compute.reboot_server.assert_called_once()
    assert next(states, "asked to the end") == "asked to the end"


def test_on_management_the_api_hears_the_operator_alone() -> None:
    settings = cloud_settings.of(
        topology.load(), region="lab", project="p", server_quota=1, flavours=[], api_names=["a"]
    )

    rules = cloud_guard.rules(settings)

    assert 'iifname "mgmt0" ip saddr != 10.210.255.1 drop' in rules
    assert "ip saddr 10.210.255.0/24 ip daddr 10.210.255.0/24 drop" in rules
