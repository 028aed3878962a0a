"""The lab with an image of its release; the runners' brakes are on, and no burst server is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Lab, brakes, lab, session_lab, site
from tests.long import scaling

__all__ = ["brakes", "lab", "session_lab", "site"]  # fixtures


@pytest.fixture(scope="session")
def cloud() -> Any:
    return scaling.connection()


@pytest.fixture(scope="session")
def image(cloud: Any) -> Any:
    """The published image of the release that serves; made here when there is none."""
    if not scaling.published(cloud):
        done = scaling.scale("bake_image", seconds=900)
        assert done.ok, done.out[-3000:] + done.err
    return scaling.published(cloud)[0]


@pytest.fixture
def as_it_was(lab: Lab, cloud: Any) -> Iterator[None]:
    """End without burst servers."""
    yield
    lab("cloud-api", "up")
    if scaling.servers(cloud):
        done = scaling.scale("scale_in", 0)
        assert done.ok, done.out[-3000:] + done.err
    assert scaling.servers(cloud) == {}
