"""Read SSH host keys from a server's console and keep a known_hosts file.

Pure: no I/O, no Ansible. cloud-init prints the keys between two marker lines (cc_keys_to_console);
the file format is sshd(8), section SSH_KNOWN_HOSTS FILE FORMAT.
"""

from __future__ import annotations

import re

BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
END = "-----END SSH HOST KEY KEYS-----"
COMMENT = "server:"
KEY = re.compile(r"(?:^|\s)((?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)")


def keys_from_console(console: str) -> list[str]:
    """Find the host keys that the last boot printed: "type base64" each, empty while they are not there yet."""
    start = console.rfind(BEGIN)
    if start < 0:
        return []
    end = console.find(END, start)
    if end < 0:
        return []
    return [f"{match[1]} {match[2]}" for match in KEY.finditer(console[start + len(BEGIN) : end])]


def known_servers(lines: list[str]) -> set[str]:
    """List the server ids that the file has keys of."""
    return {line.rsplit(COMMENT, 1)[1].strip() for line in lines if COMMENT in line}


def without(lines: list[str], names: set[str], server_ids: set[str]) -> list[str]:
    """Drop the entries of these host names or addresses, and of these servers."""
    kept = []
    for line in lines:
        hosts = set(line.split(" ", 1)[0].split(","))
        of_server = COMMENT in line and line.rsplit(COMMENT, 1)[1].strip() in server_ids
        if not of_server and not hosts & names:
            kept.append(line)
    return kept


def entries(names: list[str], keys: list[str], server_id: str) -> list[str]:
    """Write the known_hosts lines of one server, marked with its id so that a successor replaces them."""
    return [f"{','.join(names)} {key} {COMMENT}{server_id}" for key in keys]
