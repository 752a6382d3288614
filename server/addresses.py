"""Where a request comes from, behind proxies too."""

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from core.variables import Network

Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"
"""The address of a client that has none, as on a Unix socket."""

GROUP_LENGTH = 64
"""Bits of an IPv6 address that name a network; whoever has one may use any address of it (RFC 6177)."""

_HEADER_LENGTH = 2_000
_KNOWN = 10_000
_PORT = re.compile(r"(.+):[0-9]{1,5}")
_FOR = re.compile(r"""(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;]*?))\s*(?:;|$)""", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Proxies:
    """Whom to believe about the addresses of clients.

    Attributes:
        networks: Where the proxies are that are ours.
        header: Where they write down whom they serve: `x-forwarded-for`, or `forwarded` (RFC 7239). Only the one that
            they really write: another one is the client's own invention.
    """

    networks: tuple[Network, ...] = ()
    header: str = "x-forwarded-for"

    def client_address(self, peer: str | None, headers: Mapping[str, str]) -> str | None:
        """Return the address of a client.

        It is the last one in the header that is not a proxy of ours; what stands before it, anybody may have written.

        Args:
            peer: Address of the connection.
            headers: By lower-case name; several of one name joined by a comma.
        """
        if peer is None or not self.networks:
            return peer
        return _behind(self, peer, headers.get(self.header, "")[-_HEADER_LENGTH:])


@functools.lru_cache(_KNOWN)
def group_of(address: str | None) -> str:
    """Return what shares a budget with an address: itself, or its network of 64 bits."""
    read = _read(address or "")
    if read is None:
        return UNKNOWN
    if isinstance(read, IPv4Address):
        return str(read)
    network = int(read) >> (128 - GROUP_LENGTH) << (128 - GROUP_LENGTH)
    return f"{IPv6Address(network)}/{GROUP_LENGTH}"


@functools.lru_cache(_KNOWN)
def _behind(proxies: Proxies, peer: str, header: str) -> str:
    nearest = _read(peer)
    if nearest is None:
        return peer
    hops = _forwarded(header) if proxies.header == "forwarded" else header.split(",")
    for hop in reversed([*hops]):
        if not any(nearest in network for network in proxies.networks):
            break
        further = _read(hop)
        if further is None:
            break
        nearest = further
    return str(nearest)


def _forwarded(header: str) -> Iterator[str]:
    """Return the addresses of a Forwarded header, one an element; empty where an element has none."""
    for element in header.split(","):
        found = _FOR.search(element)
        yield (found[1] or found[2] or "") if found else ""


def _read(text: str) -> Address | None:
    """Read an address with or without a port; None for anything else, as a proxy may hide whom it serves."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1 and (with_port := _PORT.fullmatch(text)):
        text = with_port[1]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
