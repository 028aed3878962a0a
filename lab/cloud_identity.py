"""Make the cloud's catalogue, users and S3 credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab import cloud_operator
from lab.cloud_configuration import secrets_of
from lab.cloud_layout import API_PORTS, OBJECT_STORAGE_PORT

if TYPE_CHECKING:
    from lab.cloud_layout import Layout
    from lab.cloud_settings import Settings

# Kind in the catalogue: the service's user, and the path of its API.
SERVICES = {
    "compute": ("nova", "/v2.1"),
    "network": ("neutron", ""),
    "image": ("glance", ""),
    "placement": ("placement", ""),
    "object-store": ("swift", "/v1/AUTH_%(tenant_id)s"),
}

_PROJECT = "service"


def ensure(cloud: Any, layout: Layout, settings: Settings) -> list[str]:
    """Make what is missing, and return it; services wait for their users, so these come last."""
    identity = cloud.identity
    changed = _catalogue(identity, settings)
    roles = {each.name: each for each in identity.roles()}
    if "service" not in roles:
        roles["service"] = identity.create_role(name="service")
    projects = {}
    for name in (_PROJECT, settings.project):
        projects[name] = identity.find_project(name) or identity.create_project(name=name, domain_id="default")
    changed += _users(identity, layout, settings, projects, roles)
    return changed + _s3(identity, layout, settings, projects[settings.project].id)


def _catalogue(identity: Any, settings: Settings) -> list[str]:
    """Make the catalogue: the world comes in over public, the operator over internal, services use admin (loopback)."""
    ports = {**API_PORTS, "object-store": OBJECT_STORAGE_PORT}
    known = {each.type: each for each in identity.services()}
    present = {(each.service_id, each.interface) for each in identity.endpoints()}
    roots = {
        "public": f"https://{settings.public_address}",
        "internal": f"https://{settings.management_address}",
        "admin": "http://127.0.0.1",
    }
    changed = []
    for kind, (name, path) in SERVICES.items():
        service = known.get(kind) or identity.create_service(name=name, type=kind)
        for interface, root in roots.items():
            if (service.id, interface) not in present:
                identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    region_id=settings.region,
                    url=f"{root}:{ports[kind]}{path}",
                )
                changed.append(f"endpoint {kind} {interface}")
    return changed


def _users(
    identity: Any, layout: Layout, settings: Settings, projects: dict[str, Any], roles: dict[str, Any]
) -> list[str]:
    secrets = secrets_of(layout)
    wanted: dict[str, tuple[str, str, tuple[str, ...]]] = {
        name: (secrets.service, _PROJECT, ("admin", "service")) for name, _ in SERVICES.values()
    }
    wanted[cloud_operator.USER] = (secrets.operator, settings.project, ("member",))
    users = {each.name: each for each in identity.users()}
    changed = []
    for name, (password, project, names) in wanted.items():
        if name not in users:
            users[name] = identity.create_user(
                name=name, password=password, domain_id="default", default_project_id=projects[project].id
            )
            changed.append(f"user {name}")
        for role in names:
            identity.assign_project_role_to_user(projects[project], users[name], roles[role])
    return changed


def _s3(identity: Any, layout: Layout, settings: Settings, project: str) -> list[str]:
    place = f"/users/{identity.find_user(cloud_operator.USER).id}/credentials/OS-EC2"
    kept = [each for each in identity.get(place).json()["credentials"] if each["tenant_id"] == project]
    keys = kept[0] if kept else identity.post(place, json={"tenant_id": project}).json()["credential"]
    written = cloud_operator.write_s3(layout, settings, keys["access"], keys["secret"])
    return ["s3.env"] if written else []
