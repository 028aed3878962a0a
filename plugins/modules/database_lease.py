#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say who holds the lease that lets a database member take writes, as the majority of the consensus has it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_lease
short_description: Say who holds the lease of the database
version_added: "0.1.0"
author: The Understudy authors
description:
  - Asks etcd, with a read that only a majority can answer, for the key that Patroni's leader holds. Where no majority
    answers, nothing is known, and that is what is said.
  - Patroni deletes nothing when it dies. The key goes with its lease, so a key that is not there is a lapsed lease.
options:
  endpoints:
    description: Client addresses of members of the consensus, as C(address:port). The first that answers is enough.
    type: list
    elements: str
    required: true
  scope:
    description: Name of the cluster in the consensus.
    type: str
    required: true
  ca_file:
    description: Authority of the members' certificates.
    type: path
    required: true
  certificate_file:
    description: Certificate to show.
    type: path
    required: true
  key_file:
    description: Its key.
    type: path
    required: true
  timeout_seconds:
    description: How long one member may take.
    type: float
    default: 3
"""

EXAMPLES = r"""
- name: Ask who leads
  understudy.hybrid.database_lease:
    endpoints: ["127.0.0.1:2379"]
    scope: understudy
    ca_file: /etc/understudy/tls/ca.crt
    certificate_file: /etc/understudy/tls/host.crt
    key_file: /etc/understudy/tls/host.key
"""

RETURN = r"""
quorum:
  description: Whether a majority answered.
  type: bool
  returned: always
holder:
  description: Member that holds the lease; empty when nobody does, or when it is not known.
  type: str
  returned: always
synchronous:
  description: Members that confirm each commit, as the leader last wrote down.
  type: list
  elements: str
  returned: always
words:
  description: Why no majority answered.
  type: str
  returned: always
"""

import base64
import http.client
import json
import ssl
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NOTHING: dict[str, Any] = {"quorum": False, "holder": "", "synchronous": [], "words": ""}


def question(scope: str) -> bytes:
    """Write a linearizable read of the keys from leader to sync, for etcd's JSON gateway."""
    first, last = (base64.b64encode(f"/service/{scope}/{key}".encode()).decode() for key in ("leader", "sync\0"))
    return json.dumps({"key": first, "range_end": last, "serializable": False}).encode()


def read(answer: dict[str, Any], scope: str) -> dict[str, Any]:
    """Read etcd's answer: who holds the lease, and who confirms commits."""
    keys = {
        base64.b64decode(each["key"]).decode(): base64.b64decode(each.get("value", "")).decode()
        for each in answer.get("kvs") or []
    }
    told = json.loads(keys.get(f"/service/{scope}/sync") or "{}")
    synchronous = [name for name in (told.get("sync_standby") or "").split(",") if name]
    return {**NOTHING, "quorum": True, "holder": keys.get(f"/service/{scope}/leader", ""), "synchronous": synchronous}


def ask(endpoint: str, body: bytes, context: ssl.SSLContext, timeout_seconds: float) -> dict[str, Any]:
    """Ask one member; raises OSError, HTTPException or ValueError when it does not answer for a majority."""
    address, _, port = endpoint.rpartition(":")
    connection = http.client.HTTPSConnection(address.strip("[]"), int(port), timeout=timeout_seconds, context=context)
    try:
        connection.request("POST", "/v3/kv/range", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
    finally:
        connection.close()
    if reply.status != 200:
        raise ValueError(f"{reply.status} {text.decode(errors='replace').strip()[:200]}")
    told: dict[str, Any] = json.loads(text)
    return told


def ask_any(given: dict[str, Any], context: ssl.SSLContext) -> dict[str, Any]:
    """Ask the members in turn until one answers for a majority."""
    silent = []
    for endpoint in given["endpoints"]:
        try:
            return read(ask(endpoint, question(given["scope"]), context, given["timeout_seconds"]), given["scope"])
        except (OSError, http.client.HTTPException, ValueError) as error:
            silent.append(f"{endpoint}: {error}")
    return {**NOTHING, "words": "; ".join(silent)}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "endpoints": {"type": "list", "elements": "str", "required": True},
            "scope": {"type": "str", "required": True},
            "ca_file": {"type": "path", "required": True},
            "certificate_file": {"type": "path", "required": True},
            "key_file": {"type": "path", "required": True},
            "timeout_seconds": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        context = ssl.create_default_context(cafile=given["ca_file"])
        context.load_cert_chain(given["certificate_file"], given["key_file"])
    except OSError as error:
        module.fail_json(msg=f"The certificates to ask with cannot be read: {error}")
    module.exit_json(changed=False, **ask_any(given, context))


if __name__ == "__main__":
    main()
