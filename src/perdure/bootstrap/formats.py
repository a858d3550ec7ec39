"""How the values of settings are read: from text, or from what a TOML file has in its place.

Each raises ValueError with what is wrong, phrased to follow the value.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perdure.calls.egress import Egress
from perdure.model import durations

_UNITS = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_SIZE = re.compile(r"([0-9]{1,15})\s*([KMG]?I?B)?", re.IGNORECASE)
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_ON_OR_OFF = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def whole(lowest: int, highest: int) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise ValueError(f"is no whole number from {lowest} to {highest}")

    return read


def duration(shortest_ms: int) -> Callable[[Any], int]:
    """A length of time with its unit, in milliseconds."""

    def read(value: Any) -> int:
        try:
            length_ms = durations.milliseconds(value)
        except (TypeError, ValueError):
            raise ValueError("is no duration with a unit (ms, s, m, h, d)") from None
        if length_ms < shortest_ms:
            raise ValueError("is too short")
        return length_ms

    return read


def size(smallest: int) -> Callable[[Any], int]:
    """A size in bytes, with or without a unit; a KB has 1024 of them."""

    def read(value: Any) -> int:
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match:
            unit = (match[2] or "").upper().replace("I", "")
            value = int(match[1]) * _UNITS[unit]
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("is no size (B, KB, MB, GB)")
        if value < smallest:
            raise ValueError(f"is less than {smallest} bytes")
        return value

    return read


def switch(value: Any) -> bool:
    """On or off."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _ON_OR_OFF:
        return _ON_OR_OFF[value.strip().lower()]
    raise ValueError("is neither true nor false")


def path(value: Any) -> Path:
    """A file or folder."""
    if isinstance(value, str) and value and "\0" not in value:
        return Path(value).expanduser()
    raise ValueError("is no path")


def paths(value: Any) -> tuple[Path, ...]:
    """Files or folders that exist."""
    found = tuple(path(each) for each in value)
    for each in found:
        if not each.exists():
            raise ValueError(f"{str(each)!r} does not exist")
    return found


def host(value: Any) -> str:
    """An address or the name of a host to listen on."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9.:%_-]{1,253}", value):
        return value
    raise ValueError("is no host name or address")


def egress(value: Any) -> tuple[str, ...]:
    """Hosts and networks, with or without a port, as a list or separated by commas."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError("is no list of hosts and networks")
    entries = tuple(each.strip() for each in listed if each.strip())
    try:
        Egress(entries)
    except ValueError as error:
        raise ValueError(f"has an entry that cannot be used: {error}") from None
    return entries


def key(value: Any) -> str:
    """A key that can be sent in a header."""
    if isinstance(value, str) and re.fullmatch(r"[!-~]{1,512}", value):
        return value
    raise ValueError("the key has to be of visible ASCII characters, without spaces")


def is_loopback(name: str) -> bool:
    """Whether what listens on this host is reached from this machine only."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False
