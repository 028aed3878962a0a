#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for anything of a database on a host: processes, doors, data directories, dumps in clear."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_traces
short_description: Look for anything of a database on a host
version_added: "0.1.0"
author: The Understudy authors
description:
  - Looks for processes of PostgreSQL, Patroni and PgBouncer, for who listens on their ports (a proxy on the loopback
    address, as application servers have one, is none), for directories of PostgreSQL's data, and for dumps in
    clear, also compressed ones, whatever they are called. Changes nothing.
options:
  roots:
    description: Where files are looked for; other file systems below are looked into as well.
    type: list
    elements: path
    default: [/]
  skipped:
    description: Folders that are not looked into. Those of the kernel, and of packages.
    type: list
    elements: path
    default: [/proc, /sys, /dev, /run/netns, /boot, /usr/bin, /usr/lib, /usr/share, /usr/include, /usr/src]
"""

EXAMPLES = r"""
- name: Look
  understudy.hybrid.database_traces:
"""

RETURN = r"""
traces:
  description: What was found, a sentence's end each.
  type: list
  elements: str
  returned: always
files:
  description: How many files were looked into.
  type: int
  returned: always
"""

import bz2
import gzip
import lzma
import os
import re
import zlib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import guard_judgement

HEAD_BYTES = 64
SKIPPED = ["/proc", "/sys", "/dev", "/run/netns", "/boot"]
SKIPPED += ["/usr/bin", "/usr/lib", "/usr/share", "/usr/include", "/usr/src"]
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def programs() -> dict[int, str]:
    """Return the name of every process that is a database's, by its executable or its own name."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            names = {(process / "comm").read_text().strip(), (process / "exe").readlink().name}
            words = (process / "cmdline").read_text(errors="replace").split("\0")[:2]
        except OSError:
            continue  # it ended, or is the kernel's
        # A script is the second word; of any other program that is what it works on.
        names |= {Path(word).name for word in words[: 2 if Path(words[0]).name.startswith("python") else 1]}
        if hit := sorted(names & set(guard_judgement.PROGRAMS)):
            found[int(process.name)] = hit[0]
    return found


def listeners() -> list[tuple[int, str]]:
    """Return the port of a database and the program that listens there, proxies on the loopback address apart."""
    sockets: dict[str, tuple[str, int]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):  # noqa: PTH110 - without IPv6 there is none
            sockets |= guard_judgement.listening(Path(table).read_text())
    wanted = {inode: door for inode, door in sockets.items() if door[1] in guard_judgement.PORTS}
    found = dict.fromkeys(wanted, "a program that hides")
    for link in Path("/proc").glob("[0-9]*/fd/*") if wanted else ():
        try:
            hit = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))  # noqa: PTH115 - it is no path
            if hit and hit[1] in found:
                found[hit[1]] = (link.parents[1] / "comm").read_text().strip()
        except OSError:
            continue
    return sorted(
        {(wanted[inode][1], name) for inode, name in found.items()
         if not (name == "haproxy" and wanted[inode][0] in LOOPBACK)}
    )  # fmt: skip


def head_of(path: str) -> bytes:
    """Return how a file begins, taken out of its compression; nothing when it cannot be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - tens of thousands of them
            head = stream.read(HEAD_BYTES)
        for magic, opener in OPENERS.items():
            if head.startswith(magic):
                with opener(path, "rb") as stream:
                    return bytes(stream.read(HEAD_BYTES))
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return b""
    return head


def search(roots: list[str], skipped: list[str]) -> tuple[list[str], list[str], int]:
    """Walk the files; return the data directories, the dumps, and how many files were looked into."""
    places, dumps, count = [], [], 0
    for root in roots:
        for folder, below, files in os.walk(root):
            below[:] = [name for name in below if os.path.join(folder, name) not in skipped]  # noqa: PTH118 - speed
            if "PG_VERSION" in files and "global" in below:
                places.append(folder)
                below[:] = []
                continue
            for name in files:
                path = os.path.join(folder, name)  # noqa: PTH118 - speed
                if os.path.isfile(path) and not os.path.islink(path):  # noqa: PTH113, PTH114 - no pipes
                    count += 1
                    if guard_judgement.is_dump(head_of(path)):
                        dumps.append(path)
    return places, dumps, count


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "roots": {"type": "list", "elements": "path", "default": ["/"]},
            "skipped": {"type": "list", "elements": "path", "default": SKIPPED},
        },
        supports_check_mode=True,
    )
    places, dumps, count = search(module.params["roots"], module.params["skipped"])
    traces = guard_judgement.judge_host(programs().items(), listeners(), places, dumps)
    module.exit_json(changed=False, traces=traces, files=count)


if __name__ == "__main__":
    main()
