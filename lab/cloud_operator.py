"""Write the files with which the operator reaches the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lab.cloud_configuration import secrets_of
from lab.cloud_files import replace_text
from lab.cloud_layout import API_PORTS, OBJECT_STORAGE_PORT

if TYPE_CHECKING:
    from pathlib import Path

    from lab.cloud_layout import Layout
    from lab.cloud_settings import Settings

ORDINARY, ADMINISTRATOR = "lab", "lab-admin"
USER = "operator"

# An API that hangs on purpose must not hold the operator for ever.
_TIMEOUT_SECONDS = 60


def clouds_yaml(layout: Layout) -> Path:
    """Return the path of the operator's clouds.yaml."""
    return layout.paths.operator / "clouds.yaml"


def authority(layout: Layout) -> Path:
    """Return the path of the certificate that the operator trusts."""
    return layout.paths.operator / "ca.crt"


def write_clouds(layout: Layout, settings: Settings) -> bool:
    """Write clouds.yaml: `lab` is the project's ordinary user, `lab-admin` the administrator.

    Both come in over management (the catalogue's interface "internal"), which no fault between the sites touches.
    """
    secrets = secrets_of(layout)
    accounts = {
        ORDINARY: (USER, secrets.operator, settings.project),
        ADMINISTRATOR: ("admin", secrets.admin, "admin"),
    }
    clouds = {
        name: {
            "auth": {
                "auth_url": f"https://{settings.management_address}:{API_PORTS['identity']}/v3",
                "username": user,
                "password": password,
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": settings.region,
            "interface": "internal",
            "identity_api_version": "3",
            "cacert": str(authority(layout)),
            "api_timeout": _TIMEOUT_SECONDS,
        }
        for name, (user, password, project) in accounts.items()
    }
    layout.paths.operator.mkdir(mode=0o700, parents=True, exist_ok=True)
    return replace_text(clouds_yaml(layout), yaml.safe_dump({"clouds": clouds}, sort_keys=False), 0o600)


def write_s3(layout: Layout, settings: Settings, access: str, secret: str) -> bool:
    """Write the project's S3 credentials as environment variables that S3 clients know."""
    lines = [
        f"AWS_ACCESS_KEY_ID={access}",
        f"AWS_SECRET_ACCESS_KEY={secret}",
        f"AWS_DEFAULT_REGION={settings.region}",
        f"AWS_ENDPOINT_URL_S3=https://{settings.management_address}:{OBJECT_STORAGE_PORT}",
        f"AWS_CA_BUNDLE={authority(layout)}",
    ]
    return replace_text(layout.paths.operator / "s3.env", "\n".join(lines) + "\n", 0o600)
