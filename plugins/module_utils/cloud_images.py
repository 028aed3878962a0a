"""Know the project's images by their properties, which the image service keeps."""

from __future__ import annotations

from typing import Any

ROLE, RELEASE, PUBLISHED = "understudy_role", "understudy_release", "understudy_published"
ROLES = ("was", "database")  # what hosts made from an image are for


def properties(role: str, release: str) -> dict[str, str]:
    """Return the properties of an image that was just taken: nobody makes servers from it yet."""
    return {ROLE: role, RELEASE: release, PUBLISHED: "no"}


def images(connection: Any, *, role: str, published: bool) -> list[Any]:
    """List the images of a role that are published, or those that are not, newest first."""
    found = [
        each
        for each in connection.image.images()
        if each.properties.get(ROLE) == role and each.properties.get(PUBLISHED) == ("yes" if published else "no")
    ]
    return sorted(found, key=lambda each: str(each.created_at), reverse=True)


def newest(connection: Any, *, role: str, release: str) -> Any | None:
    """Return the newest published image of a role that holds this release, or nothing."""
    found = images(connection, role=role, published=True)
    return next((each for each in found if each.properties.get(RELEASE) == release), None)
