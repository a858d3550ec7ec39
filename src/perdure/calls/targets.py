"""Where a request goes: an absolute URI with http or https, checked and in one reading.

The host that is checked, connected to and sent in the header ``Host`` comes from one parsing.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import httpcore
import httpx

from perdure.calls.failing import not_sendable

LONGEST_URI = 16_000
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]*:[0-9a-f:.]*")


class Target:
    """A URI that can be called."""

    def __init__(self, url: httpx.URL) -> None:
        self._url = url
        self.host = url.raw_host.decode("ascii")
        self.port = url.port or _PORTS[url.scheme]

    @property
    def authority(self) -> str:
        """Host and port as they are sent."""
        return self._url.netloc.decode("ascii")

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials are for (RFC 6454)."""
        return self._url.scheme, self.host, self.port

    @property
    def server_name(self) -> str:
        """What its certificate has to be for (RFC 6066: without a trailing dot)."""
        return self.host.rstrip(".")

    @property
    def wire(self) -> httpcore.URL:
        """The URI as the pool takes it."""
        return httpcore.URL(
            scheme=self._url.raw_scheme,
            host=self._url.raw_host,
            port=self._url.port,
            target=self._url.raw_path,
        )

    def shown(self) -> str:
        """The URI without its query, which may hold what is nobody's business."""
        path = self._url.raw_path.partition(b"?")[0].decode("ascii")
        return f"{self._url.scheme}://{self.authority}{path}"

    def joined(self, location: str) -> "Target":
        """Where a header ``Location`` leads from here. Raises FailedError (validation)."""
        try:
            url = self._url.join(location)
        except (httpx.InvalidURL, ValueError) as error:
            raise not_sendable(f"a redirect leads to no URI: {_short(str(error))}") from None
        return _checked(url)

    def __str__(self) -> str:
        return str(self._url)


def target(uri: str, query: Mapping[str, str | Sequence[str]]) -> Target:
    """The target of a URI with further query parameters. Raises FailedError (validation)."""
    try:
        url = httpx.URL(uri)
        if query:
            added = urlencode(query, doseq=True, errors="replace", quote_via=quote)
            there = url.query.decode("ascii")
            url = url.copy_with(query="&".join(filter(None, (there, added))).encode("ascii"))
    except (httpx.InvalidURL, ValueError) as error:
        raise not_sendable(f"the endpoint is no URI: {_short(str(error))}") from None
    return _checked(url)


def _checked(url: httpx.URL) -> Target:
    url = url.copy_with(fragment=None)
    if not url.scheme:
        raise not_sendable("the endpoint is no absolute URI: it has to begin with http or https")
    if url.scheme not in _PORTS:
        raise not_sendable(f"the scheme {url.scheme!r} cannot be called: only http and https can")
    if url.userinfo:
        raise not_sendable(
            f"the URI has a user before its host {url.host!r}: use `authentication` in its place"
        )
    host = url.raw_host.decode("ascii")
    if not _HOST.fullmatch(host):
        raise not_sendable(f"{_short(repr(host))} is no host")
    if url.port is not None and not 1 <= url.port <= 65_535:
        raise not_sendable(f"{url.port} is no port")
    if len(str(url)) > LONGEST_URI:
        raise not_sendable(f"the URI has more than {LONGEST_URI:,} characters")
    return Target(url)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]} …"
