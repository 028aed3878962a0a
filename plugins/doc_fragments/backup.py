# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the options that the modules of backups share; module_utils/pgbackrest_command.py has them."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragments, as Ansible looks for them: for all, and for those that work where PostgreSQL takes writes."""

    DOCUMENTATION = r"""
options:
  stanza:
    description: Name of the database in pgBackRest's configuration.
    type: str
    required: true
"""

    LEADER = r"""
options:
  port:
    description: Port of PostgreSQL, for its socket.
    type: int
    default: 5432
  textfile_directory:
    description: Where node_exporter reads figures.
    type: path
    default: /var/lib/prometheus/node-exporter
"""
