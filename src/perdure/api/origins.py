"""Which pages may ask, when a browser is the client.

A page of another origin can have the user's browser send requests here (CSRF), and can point a
name of its own at this machine to read the answers as well (DNS rebinding). A key that only its
owner can send stops both; a server without one has to look at where requests come from. Clients
that are no browsers send no `Origin`, and name the host that they connect to.
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from perdure.api.problems import RequestError

_SHOWN = 100
_AUTHORITY = re.compile(rb"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[0-9a-z.-]+))(?::[0-9]{1,5})?")


def expect_own(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a request that a page of another origin makes (RFC 6454).

    The scheme is not compared: a proxy in front of this server may speak TLS.
    """
    origin = headers[b"origin"]
    host = headers.get(b"host", b"")
    if not host or origin.partition(b"://")[2].lower() != host.lower():
        raise RequestError(
            "forbidden_origin",
            f"a page of {_shown(origin)} asks, and this is {_shown(host)}; a proxy in between has "
            "to pass on the header Host",
        )


def expect_loopback(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a request to a name that is none of this machine's own."""
    host = headers.get(b"host", b"")
    if not _names_loopback(host):
        raise RequestError(
            "forbidden_origin",
            f"this server asks for no key and so answers on loopback names only, not as "
            f"{_shown(host)}: use localhost or 127.0.0.1",
        )


@lru_cache(maxsize=64)
def _names_loopback(host: bytes) -> bool:
    authority = _AUTHORITY.fullmatch(host.lower())
    if authority is None:
        return False
    name = (authority["six"] or authority["name"]).decode()
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _shown(value: bytes) -> str:
    return repr(value[:_SHOWN].decode("latin-1"))
