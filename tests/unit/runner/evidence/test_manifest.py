"""A chain that is whole has no findings; each way to break it is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runner.evidence.manifest import Head, Kind, Manifest, Sealed, chain, digest, read_head, read_manifest

NOW = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)


def link(number: int, before: Sealed | None) -> Sealed:
    manifest = Manifest(
        f"drill-{number}",
        Kind.DRILL,
        NOW,
        number,
        {"result.json": "0" * 64},
        before.folder if before else "",
        before.sha256 if before else "",
    )
    return Sealed(manifest.name, manifest, digest(manifest.to_bytes()))


def links(count: int) -> dict[str, Sealed]:
    made: list[Sealed] = []
    for number in range(1, count + 1):
        made.append(link(number, made[-1] if made else None))
    return {each.folder: each for each in made}


def head_of(sealed: Mapping[str, Sealed]) -> Head:
    last = list(sealed.values())[-1]
    return Head(last.folder, last.manifest.number, last.sha256)


def told(sealed: Mapping[str, Sealed], head: Head | None) -> dict[str, str]:
    return {each.folder: each.sentence for each in chain(sealed, head)}


@given(some.integers(min_value=1, max_value=8))
def test_a_whole_chain_has_no_findings(count: int) -> None:
    sealed = links(count)
    assert told(sealed, head_of(sealed)) == {}


@given(some.integers(min_value=1, max_value=6), some.data())
def test_whichever_folder_is_removed_is_named(count: int, data: some.DataObject) -> None:
    sealed = links(count)
    gone = data.draw(some.sampled_from(sorted(sealed)))
    left = {name: each for name, each in sealed.items() if name != gone}
    found = told(left, head_of(sealed))
    assert set(found) == {gone}
    assert f"{gone} is missing" in found[gone]


def test_a_folder_sealed_anew_is_not_the_one_that_was_followed() -> None:
    sealed = links(3)
    other = dataclasses.replace(sealed["drill-2"].manifest, files={"result.json": "1" * 64})
    found = told(sealed | {"drill-2": Sealed("drill-2", other, digest(other.to_bytes()))}, head_of(sealed))
    assert "was replaced" in found["drill-2"]


def test_exchanged_folders_are_both_named() -> None:
    sealed = links(3)
    one, other = sealed["drill-1"], sealed["drill-2"]
    exchanged = sealed | {
        "drill-1": dataclasses.replace(other, folder="drill-1"),
        "drill-2": dataclasses.replace(one, folder="drill-2"),
    }
    found = told(exchanged, head_of(sealed))
    assert set(found) == {"drill-1", "drill-2"}
    assert all("renamed or exchanged" in sentence for sentence in found.values())


def test_numbers_that_do_not_follow_each_other_are_named() -> None:
    sealed = links(2)
    wrong = dataclasses.replace(sealed["drill-2"].manifest, number=5)
    found = told({"drill-1": sealed["drill-1"], "drill-2": Sealed("drill-2", wrong, "x")}, Head("drill-2", 5, "x"))
    assert "is number 5 and follows number 1" in found["drill-2"]
    first = dataclasses.replace(sealed["drill-1"].manifest, number=2)
    found = told({"drill-1": Sealed("drill-1", first, "y")}, Head("drill-1", 2, "y"))
    assert "says that it follows nothing" in found["drill-1"]


def test_two_that_follow_the_same_one_are_named() -> None:
    sealed = links(2)
    other = dataclasses.replace(sealed["drill-2"].manifest, name="drill-x")
    found = told(sealed | {"drill-x": Sealed("drill-x", other, "x")}, head_of(sealed))
    assert "drill-2 and drill-x both say" in found["drill-1"]


def test_a_chain_without_its_head_is_named_and_an_older_head_is_none() -> None:
    sealed = links(2)
    assert "is missing" in told(sealed, None)["head.json"]
    assert told({}, None) == {}
    assert told(sealed, Head("drill-1", 1, sealed["drill-1"].sha256)) == {}
    assert "was replaced" in told(sealed, Head("drill-2", 2, "0" * 64))["drill-2"]


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = links(2)["drill-2"].manifest
    assert read_manifest(manifest.to_bytes()) == manifest
    head = Head("drill-2", 2, "0" * 64, "-----BEGIN SSH SIGNATURE-----")
    assert read_head(head.to_bytes()) == head


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "kind": "party", "sealed_at": "2026-12-24"}', b"\xff"],
)
def test_what_is_no_manifest_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json, enum and datetime each have their own words
        read_manifest(content)


@pytest.mark.parametrize("field", ["files", "number"])
def test_a_manifest_of_other_types_is_none(field: str) -> None:
    manifest = dataclasses.replace(links(1)["drill-1"].manifest, **{field: "many"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no manifest"):
        read_manifest(manifest.to_bytes())
