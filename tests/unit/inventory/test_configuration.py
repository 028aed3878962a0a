from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.two_sites.configuration import read_configuration
from plugins.plugin_utils.two_sites.entries import Entry
from plugins.plugin_utils.two_sites.errors import RefusedValueError
from tests.unit.inventory.examples import configuration, configuration_data


def sites(**networks: Any) -> dict[str, Any]:
    return {"sites": {"colo": {"networks": networks}}, "clouds": None}


def cloud(**changes: Any) -> dict[str, Any]:
    return {"clouds": [{"name": "lab", "site": "cloud", **changes}]}


def test_a_good_file_is_read() -> None:
    found = configuration()
    assert list(found.site_networks) == ["colo", "cloud", "witness"]
    assert found.site_networks["cloud"] == ("lan", "public", "lan6")
    assert found.reach_over == "site"
    assert [(each.name, each.on_unreachable, each.timeout_seconds) for each in found.clouds] == [
        ("lab", "serve_last_good", 5.0), ("other", "serve_last_good", 5.0),
    ]  # fmt: skip
    assert "REBOOT" in found.running_states
    assert found.only_ours


def test_the_standard_keys_of_such_plugins_are_let_through() -> None:
    data = configuration_data(keyed_groups=[])
    assert read_configuration("f", data, {"keyed_groups"}).functions
    with pytest.raises(RefusedValueError, match="f: keyed_groups is"):
        read_configuration("f", data)


def test_the_environment_goes_before_the_file() -> None:
    data = configuration_data(reach_over="management")
    override = Entry("environment", "UNDERSTUDY_REACH_OVER", "site")
    assert read_configuration("f", data).reach_over == "management"
    assert read_configuration("f", data, reach_override=override).reach_over == "site"


def test_a_wrong_word_in_the_environment_is_refused() -> None:
    override = Entry("environment", "UNDERSTUDY_REACH_OVER", "moon")
    with pytest.raises(RefusedValueError, match=r"environment: UNDERSTUDY_REACH_OVER is 'moon'; .* site, management"):
        read_configuration("f", configuration_data(), reach_override=override)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sitez": {}}, r"two_sites\.yml: sitez is {}; expected no such key; known here: clouds,"),
        ({"sites": None}, r"expected the key sites in it"),
        ({"functions": None}, r"expected the key functions in it"),
        ({"sites": []}, r"sites is \[\]; expected a mapping"),
        ({"sites": {}}, r"sites is {}; expected at least one site"),
        ({"sites": {"colo": {"network": {}}}}, r"sites\.colo\.network is {}; expected no such key"),
        ({"sites": {"Colo": {"networks": {"lan": "10.0.0.0/8"}}}}, r"sites\.Colo is 'Colo'; expected a name"),
        ({"sites": {"all": {"networks": {"lan": "10.0.0.0/8"}}}}, r"sites\.all is 'all'"),
        (sites(), r"sites\.colo\.networks is {}; expected at least one network"),
        (sites(lan="10.0.0.5/24"), r"networks\.lan is '10\.0\.0\.5/24'; expected no host bits set; did you"
                                   r" mean 10\.0\.0\.0/24\?"),
        (sites(lan="fd00::5/64"), r"networks\.lan is 'fd00::5/64'; expected no host bits set"),
        (sites(lan="10.0.0.0"), r"networks\.lan is '10\.0\.0\.0'; expected a network such as"),
        (sites(lan="10.0.0.0/255.0.0.0"), r"expected a network such as"),
        (sites(lan="10.0.0.0/64"), r"expected a network such as"),
        (sites(lan="fd00::/129"), r"expected a network such as"),
        (sites(lan=10), r"networks\.lan is 10; expected text"),
        (sites(management="10.0.0.0/8"), r"networks\.management is 'management'; expected a name"),
        (sites(lan="10.0.0.0/8", public="10.1.0.0/16"),
         r"networks\.public is '10\.1\.0\.0/16'; expected a network that overlaps no other;"
         r" sites\.colo\.networks\.lan is 10\.0\.0\.0/8"),
        (sites(lan="10.0.0.0/8", public="10.0.0.0/8"), r"overlaps no other"),
        (sites(lan="fd00::/16", public="fd00:1::/64"), r"overlaps no other"),
        ({"management_networks": ["10.210.2.128/25"]},
         r"management_networks\[0\] is '10\.210\.2\.128/25'; .*; sites\.cloud\.networks\.lan is"),
        ({"management_networks": ["10.9.0.0/16", "10.9.1.0/24"]}, r"management_networks\[1\] is"),
        ({"management_networks": "10.9.0.0/16"}, r"management_networks is '10\.9\.0\.0/16'; expected a list"),
        ({"reach_over": "moon"}, r"reach_over is 'moon'; expected one of site, management"),
        ({"functions": []}, r"functions is \[\]; expected at least one function"),
        ({"functions": ["was", "was"]}, r"functions\[1\] is 'was'; expected a value that is not in the list"),
        ({"functions": ["cloud"]}, r"functions\[0\] is 'cloud'; expected a name that no site has"),
        ({"functions": ["w-as"]}, r"functions\[0\] is 'w-as'; expected a name"),
        ({"functions": [None]}, r"functions\[0\] is None; expected text"),
        ({"running_states": ["ACTIV"]}, r"running_states\[0\] is 'ACTIV'; expected one of ACTIVE, BUILD"),
        ({"only_ours": "yes"}, r"only_ours is 'yes'; expected true or false"),
        (cloud(site="moon"), r"clouds\[0\]\.site is 'moon'; expected one of colo, cloud, witness"),
        (cloud(name=""), r"clouds\[0\]\.name is ''; expected text"),
        (cloud(name="fixed"), r"clouds\[0\]\.name is 'fixed'; expected the name of a cloud"),
        (cloud(timeout="5"), r"clouds\[0\]\.timeout is '5'; expected no such key; known here: name,"),
        (cloud(timeout_seconds="5"), r"timeout_seconds is '5'; expected a number of seconds"),
        (cloud(timeout_seconds=0), r"timeout_seconds is 0; expected a number"),
        (cloud(timeout_seconds=True), r"timeout_seconds is True; expected a number"),
        (cloud(timeout_seconds=float("nan")), r"timeout_seconds is nan; expected a number"),
        (cloud(timeout_seconds=9999), r"timeout_seconds is 9999; expected a number"),
        (cloud(on_unreachable="ignore"), r"on_unreachable is 'ignore'; expected one of serve_last_good"),
        ({"clouds": [{"name": "lab"}]}, r"clouds\[0\] is .* expected the key site in it"),
        ({"clouds": [{"name": "lab", "site": "colo"}, {"name": "lab", "site": "cloud"}]},
         r"clouds\[1\]\.name is 'lab'; expected a value that is not in the list before"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_file_key_and_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedValueError, match=message) as refusal:
        configuration(**changes)
    assert str(refusal.value).startswith("two_sites.yml")


@pytest.mark.parametrize("data", [None, [], "plugin", {1: "x"}])
def test_a_file_that_is_no_mapping_of_words_is_refused(data: object) -> None:
    with pytest.raises(RefusedValueError, match=r"^two_sites\.yml is "):
        read_configuration("two_sites.yml", data)


@pytest.mark.parametrize(
    "networks",
    [
        {"lan": "10.0.0.0/25", "public": "10.0.0.128/25"},
        {"lan": "10.0.0.0/24", "lan6": "fd00::/64"},
        {"lan": "128.0.0.0/1", "lan6": "8000::/1"},
        {"lan": "10.0.0.1/32", "public": "10.0.0.0/32"},
    ],
)
def test_networks_side_by_side_are_let_through(networks: dict[str, str]) -> None:
    assert configuration(**sites(**networks)).site_networks == {"colo": tuple(networks)}


def test_a_very_long_value_is_shown_shortened() -> None:
    with pytest.raises(RefusedValueError) as refusal:
        configuration(reach_over="x" * 10_000)
    assert len(str(refusal.value)) < 300
