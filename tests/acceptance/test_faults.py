"""Each fault command does what it says, seen from inside the hosts."""

from __future__ import annotations

import json
import re
import shlex
from functools import partial

import pytest

from tests.acceptance.conftest import Lab, eventually, run

COLO, CLOUD, WITNESS = "10.210.101.2", "10.210.102.2", "10.210.103.2"
CLOUD_WAS, CLOUD_API = "10.210.2.11", "10.210.102.10"


def echo_requests(lab: Lab, host: str) -> int:
    """Count the ICMP echo requests that arrived at a host."""
    lines = [line.split() for line in lab.on(host, "grep Icmp: /proc/net/snmp").out.splitlines()]
    return int(dict(zip(lines[0], lines[1], strict=True))["InEchos"])


def test_cut_parts_two_sites_and_no_third(lab: Lab) -> None:
    assert lab.pings("colo-gw1", CLOUD)
    lab("cut", "colo", "cloud")
    assert not lab.pings("colo-gw1", CLOUD)
    assert not lab.pings("cloud-gw1", COLO)
    assert lab.pings("witness1", COLO)
    assert lab.pings("witness1", CLOUD)
    lab("heal")
    assert lab.pings("colo-gw1", CLOUD)


def test_cut_one_way_loses_packets_in_one_direction_only(lab: Lab) -> None:
    lab("cut", "--one-way", "colo", "cloud")
    at_cloud, at_colo = echo_requests(lab, "cloud-gw1"), echo_requests(lab, "colo-gw1")
    lab.pings("colo-gw1", CLOUD)
    lab.pings("cloud-gw1", COLO)
    assert echo_requests(lab, "cloud-gw1") == at_cloud, "packets from colo arrived"
    assert echo_requests(lab, "colo-gw1") >= at_colo + 3, "packets from cloud were lost"


def test_isolate_darkens_a_host_but_not_for_its_builder(lab: Lab) -> None:
    lab("isolate", "colo-db1")
    assert not lab.pings("colo-was1", "10.210.1.21")
    assert lab.on("colo-db1", "true").ok
    lab("heal")
    eventually(lambda: lab.pings("colo-was1", "10.210.1.21"), 10, "colo-db1 back in its network")


def test_isolate_darkens_a_guest_of_the_cloud_too(lab: Lab) -> None:
    lab("isolate", "cloud-was1")
    assert not lab.pings("cloud-gw1", "10.210.2.11")
    assert lab.on("cloud-was1", "true").ok
    lab("heal")
    eventually(lambda: lab.pings("cloud-gw1", "10.210.2.11"), 15, "cloud-was1 back in its network")


@pytest.mark.parametrize(("name", "address"), [("colo", COLO), ("cloud", CLOUD)])
def test_isolate_darkens_a_site_for_everybody_else(lab: Lab, name: str, address: str) -> None:
    lab("isolate", name)
    assert not lab.pings("witness1", address)
    assert not lab.pings("crowd1", address)
    assert lab.on(f"{name}-gw1", "true").ok
    lab("heal")
    assert lab.pings("witness1", address)


def first_process_started(lab: Lab, host: str) -> str:
    started = lab.on(host, "awk '{print $22}' /proc/1/stat").out.strip()
    assert started, host
    return started


@pytest.mark.parametrize(
    ("host", "neighbour", "address"),
    [("colo-was2", "colo-was1", "10.210.1.12"), ("cloud-was1", "cloud-gw1", "10.210.2.11")],
)
def test_power_off_is_silence_and_power_on_a_fresh_start(lab: Lab, host: str, neighbour: str, address: str) -> None:
    before = first_process_started(lab, host)
    lab("power-off", host)
    assert not lab.pings(neighbour, address), "a dead host answers"
    assert not lab.on(host, "true").ok
    lab("power-on", host)
    eventually(lambda: lab.on(host, "true").ok, 60, f"{host} answers again")
    assert first_process_started(lab, host) != before
    eventually(lambda: lab.pings(neighbour, address), 15, f"{host} is back in its network")


def test_power_off_takes_a_whole_site(lab: Lab) -> None:
    lab("power-off", "colo")
    assert not lab.pings("witness1", COLO)
    assert not any(lab.on(host, "true").ok for host in ("colo-gw1", "colo-db1"))
    lab("power-on", "colo")
    for host in ("colo-gw1", "colo-was1", "colo-was2", "colo-db1", "colo-ops1"):
        eventually(partial(lab.answers, host), 60, f"{host} answers again")
    eventually(lambda: lab.pings("colo-was1", "10.210.2.11"), 60, "the tunnel is back by itself")


def test_power_off_takes_the_cloud_and_its_servers_come_back(lab: Lab) -> None:
    lab("power-off", "cloud")
    assert not lab.pings("witness1", CLOUD)
    lab("power-on", "cloud")
    for host in ("cloud-gw1", "cloud-was1", "cloud-ops1"):
        eventually(partial(lab.answers, host), 240, f"{host} answers again")
    eventually(lambda: lab.pings("colo-was1", CLOUD_WAS), 60, "the tunnel is back by itself")
    storage = f"timeout 5 bash -c '</dev/tcp/{CLOUD_API}/8080'"
    eventually(lambda: lab.on("colo-db1", storage).ok, 60, "the cloud's storage is reached from the colo again")


def test_pause_freezes_a_host_and_resume_goes_on_where_it_was(lab: Lab) -> None:
    before = first_process_started(lab, "colo-ops1")
    lab("pause", "colo-ops1")
    assert not lab.on("colo-ops1", "true", seconds=8).ok
    lab("resume", "colo-ops1")
    assert first_process_started(lab, "colo-ops1") == before


def test_slow_delays_and_limits_as_told(lab: Lab) -> None:
    lab("slow", "colo", "cloud", "--ms", "40", "--mbit", "20")
    report = lab.on("colo-gw1", f"ping -q -c 10 -i 0.2 {CLOUD}").out
    average = float(re.findall(r"= [\d.]+/([\d.]+)/", report)[0])
    assert 80 <= average <= 110, f"two ways of 40 ms took {average} ms"

    lab.listen("cloud-was1", 7000)
    code = (
        "import socket,time;s=socket.create_connection(('" + CLOUD_WAS + "',7000));t=time.time();n=0\n"
        "while time.time()-t<4: n+=s.send(b'x'*65536)\n"
        "print(n*8/1e6/(time.time()-t))"
    )
    rate = float(lab.on("colo-was1", f"python3 -c {shlex.quote(code)}").out)
    assert 5 <= rate <= 25, f"20 Mbit/s let {rate:.1f} through"
    lab("heal")
    report = lab.on("colo-gw1", f"ping -q -c 5 -i 0.2 {CLOUD}").out
    assert float(re.findall(r"= [\d.]+/([\d.]+)/", report)[0]) < 40


def test_a_fault_of_an_unknown_place_is_refused_with_the_known_ones() -> None:
    done = run(["lab", "isolate", "atlantis"])
    assert done.code == 2
    assert "atlantis" in done.err
    assert "colo-db1" in done.err
    assert "witness" in done.err


def test_status_names_the_faults_in_force(lab: Lab) -> None:
    lab("cut", "colo", "witness")
    lab("isolate", "colo-was2")
    faults = json.loads(lab("status", "--json").out)["faults"]
    assert "colo-was2 is isolated." in faults
    assert sum(fault.startswith("Packets from") for fault in faults) == 2
