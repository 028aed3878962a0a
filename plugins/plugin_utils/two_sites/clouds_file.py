"""Find clouds.yaml and let openstacksdk read it.

What is wrong in it is said without repeating its values, for they may be secret.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from keystoneauth1.exceptions import ClientException
from openstack.config import OpenStackConfig
from openstack.config.loader import CONFIG_FILES, SECURE_FILES
from openstack.exceptions import SDKException

from .compute_api import Connection, connection_to, secrets_of
from .entries import Entry
from .errors import RefusedValueError, TwoSitesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openstack.config.cloud_region import CloudRegion

    from .configuration import Configuration

SECURE_NAMES = ("secure.yaml", "secure.yml", "secure.json")


def connections_to(configuration: Configuration, clouds_yaml: Path | None) -> dict[str, Connection]:
    """Prepare to ask every cloud of the configuration; nothing is sent yet.

    Without `clouds_yaml` the file is looked for where the openstack client looks. Environment variables
    (OS_*) are not read. Raises TwoSitesError when a file or cloud is missing or unusable.
    """
    # Its remarks on discovery would stand beside our own sentence about the same silence.
    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())
    file = _find(configuration, clouds_yaml)
    known = _cloud_names(file)
    for cloud in configuration.clouds:
        if cloud.name not in known:
            Entry(configuration.file, f"{cloud.key}.name", cloud.name).refuse(
                f"a cloud of {file}: {', '.join(known) or 'it has none'}"
            )
    beside = [str(file.with_name(name)) for name in SECURE_NAMES]
    sdk = OpenStackConfig(config_files=[str(file)], secure_files=[*beside, *SECURE_FILES], load_envvars=False)
    return {
        cloud.name: connection_to(_region(sdk, file, cloud.name), cloud.name, only_ours=configuration.only_ours)
        for cloud in configuration.clouds
    }


def _find(configuration: Configuration, clouds_yaml: Path | None) -> Path:
    candidates: Sequence[Path] = [clouds_yaml] if clouds_yaml else [Path(each) for each in CONFIG_FILES]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = "" if clouds_yaml else "; looked for " + ", ".join(map(str, candidates))
    raise RefusedValueError(
        configuration.file,
        "clouds_yaml",
        str(clouds_yaml) if clouds_yaml else None,
        f"an existing clouds.yaml{looked}",
    )


def _cloud_names(file: Path) -> list[str]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TwoSitesError(f"{file} cannot be read: {error.strerror}. Let this user read it.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "some line"
        raise TwoSitesError(f"{file}: {line} is not YAML. Correct the file.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise TwoSitesError(f"{file} is not YAML in UTF-8. Correct the file.") from None
    clouds = data.get("clouds") if isinstance(data, dict) else None
    if not isinstance(clouds, dict):
        raise TwoSitesError(f"{file}: the key clouds is missing or no mapping. Add it, with a key per cloud.")
    for name, cloud in clouds.items():
        if not isinstance(cloud, dict) or not isinstance(cloud.get("auth", {}), dict):
            raise TwoSitesError(f"{file}: clouds.{name} or its auth is no mapping. Correct the file.")
    return [str(name) for name in clouds]


def _region(sdk: OpenStackConfig, file: Path, name: str) -> CloudRegion:
    try:
        region = sdk.get_one(cloud=name)
    except (ClientException, SDKException, TypeError, ValueError, KeyError, AttributeError) as error:
        text = str(error)
        for secret in secrets_of(sdk.cloud_config["clouds"].get(name, {}).get("auth") or {}):
            text = text.replace(secret, "***")
        raise TwoSitesError(f"{file}: clouds.{name} is refused: {text}. Correct the file.") from None
    authority = region.get_requests_verify_args()[0]
    if isinstance(authority, str) and not Path(authority).exists():
        Entry(str(file), f"clouds.{name}.cacert", authority).refuse("an existing file of certificates")
    return region
