# SPDX-License-Identifier: GPL-3.0-or-later
"""Run module `cloud_burst` where the cloud's SDK has been imported already; see in_process.py."""

from __future__ import annotations

from .in_process import ActionModule

__all__ = ["ActionModule"]
