"""Servers of a cloud: read from an answer of the Compute API, and to and from a list kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entries import Entry
from .errors import TwoSitesError
from .networks import Address, read_address

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION_KEY = "understudy_function"
BURST_KEY = "burst"


class PartialAnswerError(TwoSitesError):
    """Say what is missing in an answer that should have been complete."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server as its cloud describes it; fixed addresses come before floating ones."""

    id: str
    name: str
    status: str
    addresses: tuple[Address, ...]
    metadata: Mapping[str, str]
    flavor: str
    image: str
    created: str
    availability_zone: str

    @property
    def is_ours(self) -> bool:
        """Say whether the metadata gives the server a function here."""
        return FUNCTION_KEY in self.metadata

    @property
    def function_names(self) -> tuple[str, ...]:
        """Name the functions in the metadata, known or not."""
        names = (each.strip() for each in self.metadata.get(FUNCTION_KEY, "").split(","))
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def is_burst(self) -> bool:
        """Say whether the server was made for a peak and goes again."""
        return self.metadata.get(BURST_KEY, "").strip().lower() == "true"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The complete list of a cloud's servers at one moment (seconds since 1970).

    `identity` stands for the cloud's address, region and project: lists of two of them never mix.
    """

    cloud: str
    identity: str
    fetched_at_epoch_seconds: int
    servers: tuple[Server, ...]

    def age_seconds(self, now_epoch_seconds: float) -> int:
        """Give the age in whole seconds, 0 also where the clock was set back."""
        return max(0, int(now_epoch_seconds - self.fetched_at_epoch_seconds))


def read_page(body: object) -> tuple[list[dict[str, object]], str | None]:
    """Give the server records of a page of `GET /servers/detail` and the address of the next page.

    Raises PartialAnswerError when the page has no list of servers.
    """
    servers = body.get("servers") if isinstance(body, dict) else None
    if not isinstance(servers, list) or not all(isinstance(each, dict) for each in servers):
        raise PartialAnswerError("the answer has no list 'servers'")
    links = body.get("servers_links") if isinstance(body, dict) else None
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next":
            return servers, str(link.get("href"))
    return servers, None


def read_server(record: Mapping[str, object]) -> Server:
    """Read a server record of the Compute API.

    Raises PartialAnswerError when something is missing that every complete record has; from microversion
    2.69 on that is how the API lists servers of a cell that is down.
    """
    identity = record.get("id")
    metadata, addresses = record.get("metadata"), record.get("addresses")
    name, status = record.get("name"), record.get("status")
    if not (isinstance(name, str) and isinstance(metadata, dict) and isinstance(addresses, dict)):
        raise PartialAnswerError(
            f"server {identity} is listed with status {status} and without name, metadata or addresses"
            " (a cell of the cloud is down)"
        )
    if not isinstance(identity, str) or not isinstance(status, str):
        raise PartialAnswerError(f"server {name} is listed without id or status")
    return Server(
        id=identity,
        name=name,
        status=status,
        addresses=_addresses(name, addresses),
        metadata={str(key): str(value) for key, value in metadata.items()},
        flavor=_nested(record.get("flavor"), "original_name", "id"),
        image=_nested(record.get("image"), "id"),
        created=str(record.get("created") or ""),
        availability_zone=str(record.get("OS-EXT-AZ:availability_zone") or ""),
    )


def _nested(value: object, *names: str) -> str:
    for name in names if isinstance(value, dict) else ():
        if value.get(name):  # type: ignore[attr-defined]  # value is a mapping here
            return str(value[name])  # type: ignore[index]  # value is a mapping here
    return ""


def _addresses(server: str, networks: Mapping[object, object]) -> tuple[Address, ...]:
    fixed: dict[Address, None] = {}
    floating: dict[Address, None] = {}
    for network, records in networks.items():
        for record in records if isinstance(records, list) else [None]:
            text = record.get("addr") if isinstance(record, dict) else None
            if not isinstance(text, str):
                raise PartialAnswerError(f"server {server} has an address record without address in {network}")
            address = read_address(Entry(f"server {server}", f"addresses.{network}", text))
            kind = record.get("OS-EXT-IPS:type") if isinstance(record, dict) else None
            (floating if kind == "floating" else fixed)[address] = None
    return (*sorted(fixed, key=_by_number), *sorted(floating, key=_by_number))


def _by_number(address: Address) -> tuple[int, int]:
    return address.version, address.number
