# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect modules to a cloud, so that one that hangs is told from one that is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.basic import AnsibleModule

# Documented in doc_fragments/cloud.py.
CLOUD_OPTIONS: dict[str, dict[str, Any]] = {
    "cloud": {"type": "str", "required": True},
    "api_timeout_seconds": {"type": "int", "default": 30},
}


def imported(module: AnsibleModule) -> Any:
    """Return the SDK; fail with what to do where it is missing."""
    try:
        import openstack  # noqa: PLC0415 - imported only where the cloud is asked
    except ImportError:
        module.fail_json(
            msg="The Python package openstacksdk is missing; run make setup, or install it for this interpreter."
        )
    return openstack


def work_with(module: AnsibleModule, work: Callable[[Any], Any], consequence: str) -> Any:
    """Do something with the cloud; when it refuses or hangs, fail with its words and what that means here.

    No request waits longer than the limit, and none is repeated by itself: a repeated POST could make a server twice.
    """
    sdk = imported(module)
    from keystoneauth1 import exceptions as keystone  # noqa: PLC0415 - comes with openstacksdk
    from openstack import exceptions  # noqa: PLC0415 - as above

    try:
        return work(sdk.connect(cloud=module.params["cloud"], api_timeout=module.params["api_timeout_seconds"]))
    except exceptions.ConfigException as problem:
        module.fail_json(
            msg=f"Cloud {module.params['cloud']} cannot be asked: {problem} Its entry belongs into the clouds.yaml "
            "that OS_CLIENT_CONFIG_FILE names."
        )
    except (exceptions.SDKException, keystone.ClientException) as problem:
        words = " ".join(str(problem).split())
        module.fail_json(
            msg=f"Cloud {module.params['cloud']} did not do what was asked: {words}. {consequence} "
            "Look at the cloud's status, then run this again."
        )
