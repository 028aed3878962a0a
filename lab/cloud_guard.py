"""Keep the management network for the operator alone, inside the cloud as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.commands import run

if TYPE_CHECKING:
    from lab.cloud_layout import Layout
    from lab.cloud_settings import Settings

_TABLE = "understudy_management"


def rules(settings: Settings) -> str:
    """Return the nftables commands (pure): on management, servers hear nobody but the operator, and so does the API.

    Without them a server could reach another, or the API, past the site's networks, and a dark site would not be dark.
    Addresses (DHCP) and metadata (169.254.169.254) are the cloud's own and stay.
    """
    network = settings.management_prefix
    return f"""\
table bridge {_TABLE}
delete table bridge {_TABLE}
table bridge {_TABLE} {{
  chain forward {{
    type filter hook forward priority -300; policy accept;
    iifname "tap*" oifname "tap*" ip saddr {network} ip daddr {network} udp dport 67-68 accept
    iifname "tap*" oifname "tap*" ip saddr {network} ip daddr {network} drop
  }}
}}
table inet {_TABLE}
delete table inet {_TABLE}
table inet {_TABLE} {{
  chain input {{
    type filter hook input priority -200; policy accept;
    iifname "mgmt0" ip saddr != {settings.operator_address} drop
  }}
}}
"""


def ensure(layout: Layout, settings: Settings) -> None:
    """Load the rules into the cloud's network namespace, in place of earlier ones."""
    run(["nsenter", f"--net={layout.network_namespace}", "nft", "--file", "-"], input_text=rules(settings))
