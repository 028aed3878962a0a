"""An image is published when a ticket was sold from it, and not before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import Lab
from tests.long.scaling import scale

pytestmark = pytest.mark.usefixtures("image")
MAKERS = {"image-builder", "image-proof"}
NOBODY = "http://127.0.0.1:9"  # where no server listens


def images(cloud: Any) -> dict[str, dict[str, Any]]:
    return {each.id: {"status": each.status, **each.properties} for each in cloud.image.images()}


def test_an_image_from_which_no_ticket_is_sold_is_not_published_and_nothing_of_it_is_left(lab: Lab, cloud: Any) -> None:
    before = images(cloud)
    wrong = ["-e", f"booking_verify_url={NOBODY}", "-e", "booking_verify_retries=1"]
    done = scale("bake_image", None, *wrong, seconds=900)

    said = " ".join(done.out.split())
    assert done.code not in {0, 124}, said[-3000:] + done.err
    assert "No image was published; those that were there are as they were." in said
    assert f"at {NOBODY} did not work" in said
    assert images(cloud) == before
    assert not MAKERS & {each.name for each in cloud.compute.servers()}
    assert not MAKERS & set(lab.inventory()["_meta"]["hostvars"])
