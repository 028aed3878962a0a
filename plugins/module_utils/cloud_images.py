"""Know the images of application servers by their properties, which the image service keeps."""

from __future__ import annotations

from typing import Any

ROLE, RELEASE, PUBLISHED = "understudy_role", "understudy_release", "understudy_published"


def properties(release: str) -> dict[str, str]:
    """Return the properties of an image that was just taken: nobody makes servers from it yet."""
    return {ROLE: "was", RELEASE: release, PUBLISHED: "no"}


def images(connection: Any, *, published: bool) -> list[Any]:
    """List the images that are published, or those that are not, newest first."""
    found = [
        each
        for each in connection.image.images()
        if each.properties.get(ROLE) == "was" and each.properties.get(PUBLISHED) == ("yes" if published else "no")
    ]
    return sorted(found, key=lambda each: str(each.created_at), reverse=True)
