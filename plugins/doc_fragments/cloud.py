# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the options that all modules have that ask a cloud; module_utils/cloud_connection.py has them."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment, as Ansible looks for it."""

    DOCUMENTATION = r"""
options:
  cloud:
    description: Entry of clouds.yaml.
    type: str
    required: true
  api_timeout_seconds:
    description: How long one answer of the cloud may take.
    type: int
    default: 30
"""
