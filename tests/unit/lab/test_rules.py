from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from lab import rules, tables, topology
from tests.unit.lab.examples import files

MAY_CHECK = os.geteuid() == 0 and shutil.which("nft") is not None


def wan() -> str:
    return rules.wan(topology.build(*files()))


@pytest.mark.skipif(not MAY_CHECK, reason="`nft --check` needs nft and root")
@pytest.mark.parametrize("written", [rules.operator(topology.load()), rules.wan(topology.load())])
def test_nft_takes_the_rules_of_the_lab(written: str) -> None:
    checked = subprocess.run(
        ["nft", "--check", "--file", "-"], input=written, text=True, capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_the_tunnel_is_open_between_the_gateways_in_both_directions_and_for_nobody_else() -> None:
    tunnel = [line.strip(" ,}") for line in wan().splitlines() if "51820" in line]

    assert [line.removeprefix("elements = { ") for line in tunnel] == [
        "10.210.101.2 . 10.210.102.2 . udp . 51820",
        "10.210.102.2 . 10.210.101.2 . udp . 51820",
    ]


def test_the_clouds_api_is_open_to_all_that_may_come_from_a_public_network() -> None:
    assert "10.210.0.0/16 . 10.210.102.10 . tcp . 5000" in wan()
    assert "iifname . ip saddr != @origins counter drop" in wan()


def test_no_port_of_a_database_is_in_the_labs_flows_and_ssh_leads_to_the_observer_alone() -> None:
    flows = topology.load().flows
    ports = {port for flow in flows for port in flow.ports}

    assert [(flow.sources, flow.targets) for flow in flows if 22 in flow.ports] == [(("gateway",), ("observer",))]
    assert not ports & {5432, 6432, 8008}
    assert ports == {22, 51820, 80, 443, 53, 2379, 2380, 5000, 8774, 8778, 9100, 9292, 9696, 8080, 8443}


def test_everything_else_between_the_sites_is_dropped() -> None:
    assert "type filter hook forward priority filter; policy drop;" in wan()


def test_a_cut_is_judged_before_connections_that_exist() -> None:
    written = wan()

    assert written.index("@cut counter drop") < written.index("ct state established")


def test_a_lan_has_a_switch_and_no_way_to_the_internet() -> None:
    origins = wan().split("set origins", 1)[1].split("}", 1)[0]

    assert "colo-public" in origins
    assert "colo-lan" not in origins


def test_what_belongs_to_the_lab_may_not_leave_the_machine() -> None:
    written = rules.operator(topology.load())

    assert "ip daddr 10.210.0.0/16 reject with icmp net-unreachable" in written
    assert written.count("jump stays") == 2


def test_a_table_tells_which_rules_it_was_loaded_from() -> None:
    written = wan()
    other = rules.wan(topology.load())

    assert set(tables.marks(written)) == {rules.WAN_TABLE, rules.PORTS_TABLE}
    assert tables.marks(written)[rules.WAN_TABLE] != tables.marks(other)[rules.WAN_TABLE]
    assert tables.marks(written)[rules.PORTS_TABLE] == tables.marks(other)[rules.PORTS_TABLE]


def test_marks_of_other_peoples_tables_are_not_read() -> None:
    assert tables.marks('table inet filter {\n\tcomment "mine"\n}\n') == {}
