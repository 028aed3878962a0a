"""Images are known by what they are for and what is in them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from plugins.module_utils import cloud_images


def image(name: str, role: str, release: str, *, published: bool = True) -> Any:
    properties = cloud_images.properties(role, release) | ({cloud_images.PUBLISHED: "yes"} if published else {})
    return SimpleNamespace(id=name, name=name, properties=properties, created_at=name)


def cloud(*images: Any) -> Any:
    return SimpleNamespace(image=SimpleNamespace(images=lambda: list(images)))


def test_an_image_that_was_just_taken_is_nobodys_yet() -> None:
    there = cloud(image("1", "database", "debian-13", published=False))
    assert cloud_images.newest(there, role="database", release="debian-13") is None
    assert [each.name for each in cloud_images.images(there, role="database", published=False)] == ["1"]


def test_the_newest_of_the_release_is_found() -> None:
    there = cloud(*(image(name, "database", "debian-13") for name in "12"), image("3", "database", "debian-12"))
    newest = cloud_images.newest(there, role="database", release="debian-13")
    assert newest is not None
    assert newest.name == "2"


def test_images_of_another_role_are_left_alone() -> None:
    there = cloud(image("1", "was", "debian-13"), SimpleNamespace(id="2", properties={}, created_at="2"))
    assert cloud_images.images(there, role="database", published=True) == []
    assert cloud_images.newest(there, role="database", release="debian-13") is None
