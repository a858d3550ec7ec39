"""Where the server is, and the token that opens it.

Both come from the caller, or from `PERDURE_URL` and `PERDURE_TOKEN`. What cannot be sent is refused
here, so that no library below quotes a token in an error of its own.
"""

import re
from collections.abc import Mapping

import httpx

from perdure.client.exceptions import AddressError

URL_VARIABLE = "PERDURE_URL"
TOKEN_VARIABLE = "PERDURE_TOKEN"
DEFAULT_URL = "http://127.0.0.1:8000"

_TOKEN = re.compile(r"[!-~]{1,4096}")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1", re.IGNORECASE)


def server_url(given: str | None, environ: Mapping[str, str]) -> httpx.URL:
    """The server's URL, without a slash at its end. Raises AddressError."""
    text = given or environ.get(URL_VARIABLE) or DEFAULT_URL
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise AddressError(f"the URL of the server is none: {error}; {_set_it()}") from None
    if url.userinfo:
        raise AddressError(f"the URL of the server holds a password: pass a token; {_set_it()}")
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressError(f"{text[:200]!r} is no http or https URL of a server; {_set_it()}")
    if url.query or url.fragment:
        raise AddressError(f"the URL of the server ends at its path: {text[:200]!r}; {_set_it()}")
    return url.copy_with(raw_path=url.raw_path.rstrip(b"/") or b"/")


def usable_token(given: str | None, environ: Mapping[str, str]) -> str | None:
    """The token, None for a server without authentication. Raises AddressError, without it."""
    token = given if given is not None else environ.get(TOKEN_VARIABLE) or None
    if token is not None and not _TOKEN.fullmatch(token):
        raise AddressError(
            "the token cannot be sent: it has to be of visible ASCII characters, without spaces; "
            f"set {TOKEN_VARIABLE}"
        )
    return token


def is_loopback(url: httpx.URL) -> bool:
    """Whether the server is on this machine."""
    return _LOOPBACK.fullmatch(url.host) is not None


def _set_it() -> str:
    return f"set {URL_VARIABLE}, for example to {DEFAULT_URL}"
