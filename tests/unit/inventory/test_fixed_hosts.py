from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.two_sites.duplicate_keys import refuse_duplicate_keys
from plugins.plugin_utils.two_sites.errors import RefusedValueError
from plugins.plugin_utils.two_sites.fixed_hosts import read_fixed_hosts
from tests.unit.inventory.examples import fixed

FUNCTIONS = ("was", "database")


def test_a_good_host_is_read() -> None:
    (host,) = read_fixed_hosts("f", {"hosts": {"a": fixed({"lan": "10.0.0.1"}, vars={"x": [1]})}}, FUNCTIONS)
    assert (host.name, host.functions, host.variables) == ("a", ("was",), {"x": [1]})
    assert host.addresses["lan"].text == "10.0.0.1"


def test_a_file_without_hosts_is_let_through() -> None:
    assert read_fixed_hosts("f", {"hosts": {}}, FUNCTIONS) == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, r"^f is None; expected a mapping"),
        ({"host": {}}, r"f: host is {}; expected no such key; known here: hosts"),
        ({"hosts": ["a"]}, r"f: hosts is \['a'\]; expected a mapping"),
        ({"hosts": {"a": None}}, r"hosts\.a is None; expected a mapping"),
        ({"hosts": {"a": {"addresses": {}}}}, r"hosts\.a is .* expected the key functions in it"),
        ({"hosts": {"a": fixed({})}}, r"hosts\.a\.addresses is {}; expected at least one address"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1/24"})}}, r"lan is '10\.0\.0\.1/24'; expected an address"),
        ({"hosts": {"a": fixed({"lan": "010.0.0.1"})}}, r"lan is '010\.0\.0\.1'; expected an address"),
        ({"hosts": {"a": fixed({"lan": "10.1"})}}, r"lan is '10\.1'; expected an address"),
        ({"hosts": {"a": fixed({"lan": ""})}}, r"lan is ''; expected text"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, ("wizard",))}},
         r"hosts\.a\.functions\[0\] is 'wizard'; expected one of was, database"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, ("was", "was"))}},
         r"functions\[1\] is 'was'; expected a value"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, extra=1)}},
         r"hosts\.a\.extra is 1; expected no such key"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, vars={"ansible_host": "x"})}},
         r"vars\.ansible_host is 'x'; expected no such variable"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, vars={"two_sites_site": "x"})}},
         r"expected no such variable"),
        ({"hosts": {"a": fixed({"lan": "10.0.0.1"}, vars={"not-a-name": 1})}}, r"expected a variable name"),
        ({"hosts": {"a b": fixed({"lan": "10.0.0.1"})}}, r"is 'a b'; expected as key a host name"),
        ({"hosts": {"all": fixed({"lan": "10.0.0.1"})}}, r"is 'all'; expected as key a host name"),
        ({"hosts": {"a,b": fixed({"lan": "10.0.0.1"})}}, r"is 'a,b'; expected as key a host name"),
        ({"hosts": {7: {}}}, r"hosts is .* expected text as every key"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_file_key_and_value(data: Any, message: str) -> None:
    with pytest.raises(RefusedValueError, match=message):
        read_fixed_hosts("f", data, FUNCTIONS)


def test_a_host_written_twice_is_refused_with_both_lines() -> None:
    text = "hosts:\n  a: {x: 1}\n  b: {x: 1}\n  a: {x: 2}\n"
    with pytest.raises(RefusedValueError, match=r"f: hosts\.a is 'a'; .* it is in lines 2 and 4"):
        refuse_duplicate_keys("f", text)


def test_a_key_twice_deep_inside_a_list_is_refused() -> None:
    with pytest.raises(RefusedValueError, match=r"f: clouds\[1\]\.site is 'site'"):
        refuse_duplicate_keys("f", "clouds: [{site: a}, {site: a, site: b}]")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: {x: 1}\nb: {x: 1}",
        "a: &here {x: 1}\nb: *here",
        "a: !vault |\n  x\n",
        "a: [",
        "? [1]\n: 2",
        "- 1\n- 1",
    ],
)
def test_text_without_a_key_twice_is_let_through(text: str) -> None:
    refuse_duplicate_keys("f", text)
