from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.two_sites.errors import TwoSitesError
from plugins.plugin_utils.two_sites.servers import PartialAnswerError, read_page, read_server
from tests.integration.inventory.openstack_api import record


def networks(*addresses: tuple[str, str]) -> dict[str, Any]:
    return {"addresses": {"net": [{"addr": text, "OS-EXT-IPS:type": kind} for text, kind in addresses]}}


def test_a_record_of_the_api_is_read() -> None:
    server = read_server(record(1))
    assert (server.name, server.status, server.flavor) == ("cloud-was1", "ACTIVE", "was.small")
    assert server.image == "70a599e0-31e7-49b7-b260-868f441e862b"
    assert server.availability_zone == "nova"
    assert server.metadata["understudy_function"] == "was"
    assert [address.text for address in server.addresses] == ["10.230.0.2", "10.231.0.2"]
    assert server.is_ours
    assert server.is_burst


def test_fixed_addresses_come_before_floating_ones_and_lower_before_higher() -> None:
    addresses = [("1.1.1.1", "floating"), ("9.9.9.9", "fixed"), ("2.2.2.2", "fixed"), ("2.2.2.2", "fixed")]
    server = read_server(record(1, **networks(*addresses)))
    assert [address.text for address in server.addresses] == ["2.2.2.2", "9.9.9.9", "1.1.1.1"]


def test_an_old_clouds_flavor_and_a_server_from_a_volume_are_read() -> None:
    server = read_server(record(1, flavor={"id": "7"}, image="", **{"OS-EXT-AZ:availability_zone": None}))
    assert (server.flavor, server.image, server.availability_zone) == ("7", "", "")


def test_a_server_that_is_being_built_has_no_address_yet() -> None:
    assert read_server(record(1, status="BUILD", addresses={})).addresses == ()


@pytest.mark.parametrize("missing", ["id", "name", "status", "metadata", "addresses"])
def test_a_record_without_something_every_server_has_is_a_partial_answer(missing: str) -> None:
    facts = record(1)
    del facts[missing]
    with pytest.raises(PartialAnswerError, match="is listed with"):
        read_server(facts)


def test_a_server_of_a_cell_that_is_down_is_a_partial_answer() -> None:
    with pytest.raises(PartialAnswerError, match=r"server abc is listed with status UNKNOWN .* cell .* is down"):
        read_server({"id": "abc", "status": "UNKNOWN", "links": [], "tenant_id": "p", "created": "2025"})


@pytest.mark.parametrize(
    "addresses", [{"net": None}, {"net": [{"version": 4}]}, {"net": ["10.0.0.1"]}, {"net": [{"addr": "x"}]}]
)
def test_a_broken_address_is_refused(addresses: dict[str, Any]) -> None:
    with pytest.raises(TwoSitesError, match="cloud-was1"):
        read_server(record(1, addresses=addresses))


@pytest.mark.parametrize("body", [None, [], {}, {"servers": None}, {"servers": {}}, {"servers": ["x"]}])
def test_a_page_without_a_list_of_servers_is_a_partial_answer(body: object) -> None:
    with pytest.raises(PartialAnswerError, match="no list 'servers'"):
        read_page(body)


def test_a_page_says_where_the_next_one_is() -> None:
    links = [{"rel": "self", "href": "x"}, {"rel": "next", "href": "http://h/servers/detail?marker=1"}]
    assert read_page({"servers": [], "servers_links": links}) == ([], "http://h/servers/detail?marker=1")
    assert read_page({"servers": []}) == ([], None)
