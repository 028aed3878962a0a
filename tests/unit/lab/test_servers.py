from __future__ import annotations

from lab import servers, topology

DEFINITION = """
<domain type="lxc"><name>instance-00000001</name><metadata>
  <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
    <nova:name>cloud-gw1</nova:name>
    <nova:ports>
      <nova:port uuid="a"><nova:ip type="fixed" address="10.210.2.2" ipVersion="4"/></nova:port>
      <nova:port uuid="b"><nova:ip type="fixed" address="10.210.102.2" ipVersion="4"/></nova:port>
      <nova:port uuid="c"><nova:ip type="fixed" address="10.210.255.101" ipVersion="4"/></nova:port>
    </nova:ports>
  </nova:instance></metadata></domain>
"""


def test_a_servers_addresses_are_read_from_its_definition_and_named_by_their_network() -> None:
    assert servers.parse(topology.load(), [DEFINITION]) == {
        "cloud-gw1": {"lan": "10.210.2.2", "public": "10.210.102.2", "management": "10.210.255.101"}
    }


def test_a_definition_that_is_not_novas_is_no_server() -> None:
    assert servers.parse(topology.load(), ["<domain><name>other</name></domain>"]) == {}
