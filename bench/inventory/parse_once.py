# SPDX-License-Identifier: GPL-3.0-or-later
"""Let one inventory plugin parse one file; print the seconds it took and the hosts it found as JSON."""

from __future__ import annotations

import json
import sys
import time

from ansible.inventory.data import InventoryData
from ansible.inventory.manager import _InventoryDataWrapper
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, inventory_loader


def main() -> None:
    """Time `parse` alone: imports that the plugin makes are in it, the start of Ansible is not."""
    name, file = sys.argv[1:]
    init_plugin_loader()
    started, started_cpu = time.perf_counter(), time.process_time()
    plugin = inventory_loader.get(name)
    data = InventoryData()
    data.current_source = file
    inventory = _InventoryDataWrapper(data, target_plugin=plugin, origin=None)
    plugin.parse(inventory, DataLoader(), file, cache=False)
    took = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - started_cpu}
    print(json.dumps({name: round(value, 3) for name, value in took.items()} | {"hosts": len(data.hosts)}))


if __name__ == "__main__":
    main()
