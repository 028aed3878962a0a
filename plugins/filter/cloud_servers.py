# SPDX-License-Identifier: GPL-3.0-or-later
"""Offer the translations of plugin_utils/cloud_servers.py to templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import cloud_servers

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTATION = """
name: cloud_servers
short_description: Translate declared servers into what Nova and Neutron take
version_added: "0.1.0"
author: The Understudy authors
description:
  - C(gateway_ports), C(ports_to_change), C(server_nics), C(certificate_names), C(server_metadata) and
    C(security_group_rules) turn the declarations of role C(cloud) into parameters of the openstack.cloud modules.
options:
  _input:
    description: A server, a list of servers, or a list of rules, as role C(cloud) documents them.
    type: raw
    required: true
"""


def _told(function: Callable[..., Any]) -> Callable[..., Any]:
    def filter_(value: Any, *arguments: Any) -> Any:
        try:
            return function(value, *arguments)
        except ValueError as problem:
            raise AnsibleFilterError(str(problem)) from problem

    return filter_


class FilterModule:
    """The filters, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name and function of each filter."""
        return {
            "gateway_ports": _told(cloud_servers.gateway_ports),
            "ports_to_change": _told(cloud_servers.ports_to_change),
            "server_nics": _told(cloud_servers.server_nics),
            "certificate_names": _told(cloud_servers.certificate_names),
            "server_metadata": _told(cloud_servers.server_metadata),
            "security_group_rules": _told(cloud_servers.security_group_rules),
        }
