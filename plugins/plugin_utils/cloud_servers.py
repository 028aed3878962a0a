"""Translate declared servers into what Nova and Neutron take.

Pure: no I/O, no Ansible. Declarations are the dictionaries of roles/cloud/meta/argument_specs.yml.
"""

from __future__ import annotations

from typing import Any

Declaration = dict[str, Any]
METADATA_LIMIT = 255  # Nova refuses longer metadata values (API reference, "Create server")


def port_name(server: str, network: str) -> str:
    """Name the port that a gateway server uses in a network."""
    return f"{server}-{network}"


def gateway_ports(servers: list[Declaration]) -> list[Declaration]:
    """List the ports that must exist before the server, because they may send other hosts' packets.

    Returns name, network, address, security_groups and allowed_address_pairs of each.
    Raises ValueError for a forwarding interface without an address.
    """
    ports: list[Declaration] = []
    for server in servers:
        for interface in server["interfaces"]:
            if not interface.get("forwards_for"):
                continue
            if not interface.get("address"):
                raise ValueError(
                    f"cloud_servers: {server['name']}: the interface in {interface['network']} forwards for "
                    f"{', '.join(interface['forwards_for'])} but has no address; give it one."
                )
            ports.append(
                {
                    "name": port_name(server["name"], interface["network"]),
                    "network": interface["network"],
                    "address": interface["address"],
                    "security_groups": server["security_groups"],
                    "allowed_address_pairs": [{"ip_address": network} for network in interface["forwards_for"]],
                }
            )
    return ports


def ports_to_change(servers: list[Declaration], existing: list[dict[str, Any]]) -> list[Declaration]:
    """List the gateway ports that are missing from `existing` (as port_info lists them), or differ from it.

    Neutron adds hardware addresses to allowed address pairs; they are not compared.
    """
    pairs = {
        port["name"]: {pair["ip_address"] for pair in port.get("allowed_address_pairs") or []} for port in existing
    }
    return [
        port
        for port in gateway_ports(servers)
        if pairs.get(port["name"]) != {pair["ip_address"] for pair in port["allowed_address_pairs"]}
    ]


def certificate_names(servers: list[Declaration], shared: list[str]) -> list[dict[str, Any]]:
    """List what the certificate of each server must name before it exists: itself, its declared addresses, `shared`.

    Returns name and names, in the order of the servers. Management networks give addresses, and none is declared.
    """
    return [
        {
            "name": server["name"],
            "names": [
                server["name"],
                *sorted(each["address"] for each in server["interfaces"] if each.get("address")),
                *shared,
            ],
        }
        for server in servers
    ]


def server_nics(server: Declaration) -> list[dict[str, str]]:
    """Write a server's interfaces as the `nics` of openstack.cloud.server, in order."""
    nics: list[dict[str, str]] = []
    for interface in server["interfaces"]:
        if interface.get("forwards_for"):
            nics.append({"port-name": port_name(server["name"], interface["network"])})
        elif interface.get("address"):
            nics.append({"net-name": interface["network"], "v4-fixed-ip": interface["address"]})
        else:
            nics.append({"net-name": interface["network"]})
    return nics


def server_metadata(server: Declaration) -> dict[str, str]:
    """Write the metadata by which the inventory knows a server's functions and whether it is a burst server.

    Raises ValueError when the functions do not fit into one metadata value.
    """
    functions = ",".join(server["functions"])
    if len(functions) > METADATA_LIMIT:
        raise ValueError(
            f"cloud_servers: {server['name']}: functions {functions!r} take {len(functions)} characters; "
            f"metadata holds {METADATA_LIMIT}. Give the server fewer functions."
        )
    metadata = {"understudy_function": functions}
    if server.get("burst"):
        metadata["burst"] = "true"
    return metadata


def security_group_rules(rules: list[Declaration], egress: list[Declaration] | None = None) -> list[dict[str, Any]]:
    """Write declared ingress and egress rules for openstack.cloud.security_group; without `egress` all go out."""
    written: list[dict[str, Any]] = []
    if egress is None:
        written += [{"direction": "egress", "ether_type": ether_type} for ether_type in ("IPv4", "IPv6")]
    for direction, declared, ends in (("ingress", rules, "sources"), ("egress", egress or [], "targets")):
        written += [_rule(direction, rule, end) for rule in declared for end in rule[ends]]
    return written


def _rule(direction: str, rule: Declaration, end: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "direction": direction,
        "ether_type": "IPv6" if ":" in end else "IPv4",
        "remote_ip_prefix": end,
    }
    if rule["protocol"] != "any":
        entry["protocol"] = rule["protocol"]
    if rule.get("port"):
        entry |= {"port_range_min": rule["port"], "port_range_max": rule["port"]}
    return entry
