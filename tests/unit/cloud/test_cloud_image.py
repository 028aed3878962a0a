"""What becomes of images: taken for nobody, published with the last three kept, cleared when they proved nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plugins.module_utils import cloud_images
from plugins.modules.cloud_image import LateError, Work
from tests.unit.cloud.test_cloud_images import image

RELEASE = "1.4.0"


class Cloud:
    """A project's images and servers, as openstacksdk shows them; `image` and `compute` are itself."""

    def __init__(self, *there: Any, servers: tuple[str, ...] = ()) -> None:
        self.there = {each.id: each for each in there}
        self.running = {name: SimpleNamespace(id=name, name=name, status="ACTIVE") for name in servers}
        self.made_status = "active"
        self.image = self.compute = self

    def images(self) -> list[Any]:
        return list(self.there.values())

    def get_image(self, identity: str) -> Any:
        return self.there[identity]

    def update_image(self, identity: str, **properties: str) -> None:
        self.there[identity].properties |= properties

    def delete_image(self, identity: str, *, ignore_missing: bool) -> None:
        assert ignore_missing
        del self.there[identity]

    def servers(self) -> list[Any]:
        return list(self.running.values())

    def get_server(self, identity: str) -> Any:
        return self.running[identity]

    def stop_server(self, identity: str) -> None:
        self.running[identity].status = "SHUTOFF"

    def delete_server(self, identity: str, *, ignore_missing: bool) -> None:
        assert ignore_missing
        del self.running[identity]

    def create_server_image(self, server: str, name: str, metadata: dict[str, str]) -> Any:
        assert self.running[server].status == "SHUTOFF", "its disk is not at rest"
        made = SimpleNamespace(id=name, name=name, properties=metadata, created_at=name, status=self.made_status)
        self.there[name] = made
        return made


def work(cloud: Cloud, **asked: Any) -> Work:
    plain = {"role": "was", "server": "image-builder", "name": "5", "image": "", "release": RELEASE, "keep": 3}
    makers = {"makers": ["image-builder", "image-proof"], "timeout_seconds": 5}
    module: Any = SimpleNamespace(params=plain | makers | asked)
    return Work(module, cloud)


def was(*names: str, published: bool = True) -> list[Any]:
    return [image(name, "was", RELEASE, published=published) for name in names]


def test_of_four_published_images_the_oldest_goes() -> None:
    cloud = Cloud(*was("1", "2", "3"), *was("4", published=False))
    doing = work(cloud, image="4")
    assert doing.published()
    assert doing.removed == ["1"]
    assert [each.name for each in cloud_images.images(cloud, role="was", published=True)] == ["4", "3", "2"]


def test_while_there_are_no_more_than_are_kept_none_goes() -> None:
    cloud = Cloud(*was("1", "2"), *was("4", published=False))
    doing = work(cloud, image="4")
    assert doing.published()
    assert doing.removed == []
    assert set(cloud.there) == {"1", "2", "4"}


def test_images_of_other_roles_and_of_nobody_stay_whatever_is_done() -> None:
    others = [image(f"db{number}", "database", "debian-13") for number in range(5)]
    others += [image("db-new", "database", "debian-13", published=False)]
    others += [SimpleNamespace(id="debian-13", name="debian-13", properties={}, created_at="0")]
    cloud = Cloud(*others, *was("1", "2", "3"), *was("4", published=False))
    work(cloud, image="4").published()
    work(cloud).cleared()
    assert set(cloud.there) == {each.id for each in others} | {"2", "3", "4"}
    assert cloud.there["db-new"].properties[cloud_images.PUBLISHED] == "no"


def test_an_image_is_taken_of_a_server_at_rest_and_nobody_uses_it_yet() -> None:
    cloud = Cloud(*was("1"), servers=("image-builder",))
    doing = work(cloud)
    assert doing.taken()
    assert doing.image == "5"
    newest = cloud_images.newest(cloud, role="was", release=RELEASE)
    assert newest is not None
    assert newest.name == "1"


def test_one_that_never_becomes_active_is_said_to_be_lost() -> None:
    cloud = Cloud(servers=("image-builder",))
    cloud.made_status = "killed"
    with pytest.raises(LateError, match="Image 5 is killed"):
        work(cloud).taken()


def test_what_was_taken_and_not_proven_is_cleared_with_its_makers_and_was_never_published() -> None:
    cloud = Cloud(*was("1", "2", "3"), servers=("image-builder", "image-proof", "cloud-was1", "cloud-burst1"))
    work(cloud).taken()
    assert cloud.there["5"].properties[cloud_images.PUBLISHED] == "no"
    doing = work(cloud)
    assert doing.cleared()
    assert doing.removed == ["image-builder", "image-proof", "5"]
    assert set(cloud.there) == {"1", "2", "3"}
    assert set(cloud.running) == {"cloud-was1", "cloud-burst1"}
    assert not work(cloud).cleared()
