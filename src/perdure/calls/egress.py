"""Where calls may go: everywhere but to addresses that only this side of the network reaches.

What is refused is IANA's special-purpose registries (RFC 6890) and addresses that carry another
one inside (IPv4-mapped, NAT64; tunnels altogether). Of IPv6 only global unicast (2000::/3) may be
called. The setting PERDURE_EGRESS_ALLOW names what may be called in spite of that.
"""

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

SETTING = "PERDURE_EGRESS_ALLOW"

Address = IPv4Address | IPv6Address

_REFUSED: tuple[tuple[str, str], ...] = (
    ("169.254.0.0/16", "a link-local address, as those of metadata services are"),
    ("168.63.129.16/32", "the address of a metadata service"),
    ("127.0.0.0/8", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("100.64.0.0/10", "an address that providers share, private to them"),
    ("0.0.0.0/8", "an unspecified address"),
    ("192.0.0.0/24", "an address that is reserved for protocols"),
    ("192.0.2.0/24", "an address for documentation"),
    ("198.51.100.0/24", "an address for documentation"),
    ("203.0.113.0/24", "an address for documentation"),
    ("192.88.99.0/24", "an address of a 6to4 relay"),
    ("198.18.0.0/15", "an address for benchmarks"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::1/128", "a loopback address"),
    ("::/128", "an unspecified address"),
    ("fe80::/10", "a link-local address"),
    ("fc00::/7", "a private address"),
    ("ff00::/8", "a multicast address"),
    ("64:ff9b:1::/48", "an address of a local translation to IPv4"),
    ("2001::/23", "an address that is reserved for protocols"),
    ("2001:db8::/32", "an address for documentation"),
    ("3fff::/20", "an address for documentation"),
    ("2002::/16", "an address of a 6to4 tunnel"),
)
_REFUSED_NETWORKS = tuple((ip_network(network), reason) for network, reason in _REFUSED)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")


class Egress:
    """Judges addresses. `allowed` are names of hosts, addresses and networks, each of them alone
    or with a port: ``db.internal``, ``10.0.0.0/8``, ``127.0.0.1:8080``, ``[::1]:8080``.

    A name stands for whatever it resolves to; a network for whoever is in it.
    Raises ValueError for what is none of these.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[IPv4Network | IPv6Network, int | None]] = []
        for entry in allowed:
            host, port = _split(entry)
            try:
                self._networks.append((ip_network(host, strict=False), port))
            except ValueError:
                if not _NAME.fullmatch(host) or host.replace(".", "").isdigit():
                    raise _not_an_entry(entry) from None
                self._names.add((host, port))

    def refusal(self, host: str, port: int, address: Address) -> str | None:
        """Why `address`, which `host` resolves to, may not be called; None where it may."""
        name = host.lower().rstrip(".")
        if (name, None) in self._names or (name, port) in self._names:
            return None
        within = _unwrapped(address)
        for network, allowed_port in self._networks:
            if allowed_port in (None, port) and (address in network or within in network):
                return None
        for network, reason in _REFUSED_NETWORKS:
            if within in network:
                return reason
        if isinstance(within, IPv6Address) and within not in _GLOBAL_UNICAST:
            return "a reserved address"
        return None


def parsed_address(text: str) -> Address:
    """An address as a resolver gives it. Raises ValueError."""
    return ip_address(text)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that is reached where an IPv6 address stands for one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _split(entry: str) -> tuple[str, int | None]:
    """The host or network of an entry, and its port."""
    text = entry.strip().lower()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        colon, digits = rest[:1], rest[1:]
        if not bracket or (rest and colon != ":"):
            raise _not_an_entry(entry)
    elif text.count(":") == 1:
        host, colon, digits = text.partition(":")
    else:
        host, colon, digits = text, "", ""
    if not colon:
        return host.rstrip("."), None
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:6]) <= 65_535):
        raise _not_an_entry(entry)
    return host.rstrip("."), int(digits)


def _not_an_entry(entry: str) -> ValueError:
    return ValueError(f"{entry!r} is neither a host nor a network, with or without a port")
