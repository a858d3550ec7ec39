"""What is sent: a request in full, checked so that nothing in it can be taken for more than it is.

A body that is a text is sent as it is, as ``text/plain`` unless the request names a content type.
Any other body is sent as JSON, or as a form where the content type is
``application/x-www-form-urlencoded``.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from perdure.calls.failing import not_sendable
from perdure.calls.masking import Mask
from perdure.calls.targets import Target, target
from perdure.model.encoding import encode
from perdure.model.exceptions import EncodingError
from perdure.ports.calls import Basic, Bearer, HttpRequest

LONGEST_HEADERS = 64 * 1024
LONGEST_KEY = 255
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose body has a length even where there is none (RFC 9110, section 8.6)."""
_WITH_KEY = _WITH_BODY | {"DELETE"}
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say how a message is framed and passed on: the client's own."""


class Outgoing(msgspec.Struct, frozen=True):
    """A request as it is sent; the names of its headers are in lower case."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def what(self) -> str:
        """The request in a few words, without its query."""
        return f"{self.method} {self.target.shown()}"

    @property
    def where(self) -> str:
        """The host, as failures name it."""
        return self.target.host


def outgoing(request: HttpRequest, key: str | None) -> Outgoing:
    """The request in full; `key` is its idempotency key, for methods that change something.

    Raises FailedError (validation) for what cannot be sent.
    """
    method = request.method.upper()
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise not_sendable(f"{request.method[:100]!r} is no method that can be called")
    headers = _checked(request.headers)
    body = b"" if method in _WITH_BODY else None
    if request.body is not msgspec.UNSET:
        body = _body(request.body, headers)
    if body is not None:
        headers["content-length"] = str(len(body))
    if request.authentication is not None:
        headers["authorization"] = _credentials(request.authentication)
    if key is not None and method in _WITH_KEY:
        headers.setdefault("idempotency-key", _sendable_key(key))
    headers.setdefault("accept", "*/*")
    headers.setdefault("accept-encoding", "gzip, deflate")
    headers.setdefault("user-agent", "perdure")
    if sum(len(name) + len(value.encode()) for name, value in headers.items()) > LONGEST_HEADERS:
        raise not_sendable(f"the headers have more than {LONGEST_HEADERS:,} bytes")
    return Outgoing(method, target(request.uri, request.query), headers, body)


def mask_of(request: HttpRequest) -> Mask:
    """Hides what is confidential in a request."""
    texts = list(request.confidential)
    if isinstance(request.authentication, Basic):
        basic = request.authentication
        texts += [basic.password, f"{basic.username}:{basic.password}"]
    elif isinstance(request.authentication, Bearer):
        texts.append(request.authentication.token)
    return Mask(texts)


def _checked(given: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():
        low = name.lower()
        if not _TOKEN.fullmatch(name):
            raise not_sendable(f"{name[:100]!r} is no name of a header")
        if low in _OURS:
            raise not_sendable(f"the header {name} is set by perdure and cannot be given")
        if not _VALUE.fullmatch(value):
            raise not_sendable(f"the header {name} has a line break or a control character")
        if low in headers:
            raise not_sendable(f"the header {name} is given twice")
        headers[low] = value.strip(" \t").encode(errors="replace").decode()
    return headers


def _body(body: Any, headers: dict[str, str]) -> bytes:
    """The body's bytes; where it has no content type in `headers`, it is given one."""
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        encoded = body.encode(errors="replace")
    else:
        full_type = headers.setdefault("content-type", _JSON)
        content_type = full_type.partition(";")[0].strip().lower()
        if content_type == _FORM:
            encoded = _form(body)
        elif content_type.endswith("json"):
            try:
                return encode(body, "the body")
            except EncodingError as error:
                raise not_sendable(str(error)) from None
        else:
            raise not_sendable(
                f"a body of the content type {full_type[:100]!r} has to be a string; objects and "
                f"arrays are sent as JSON, and objects as {_FORM}"
            )
    return encoded


def _form(body: Any) -> bytes:
    if not isinstance(body, dict):
        raise not_sendable(f"a body of the content type {_FORM} has to be an object or a string")
    fields = []
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict | list):
                raise not_sendable(f"the field {name[:100]!r} of a form has to be a text or number")
            text = each if isinstance(each, str) else msgspec.json.encode(each).decode()
            fields.append((name, "" if each is None else text))
    return urlencode(fields, errors="replace").encode("ascii")


def _credentials(authentication: Basic | Bearer) -> str:
    if isinstance(authentication, Bearer):
        if not re.fullmatch(r"[!-~]+", authentication.token):
            raise not_sendable("the bearer token has to be of visible ASCII characters")
        return f"Bearer {authentication.token}"
    if ":" in authentication.username:
        raise not_sendable("the user name of basic authentication cannot have a colon (RFC 7617)")
    pair = f"{authentication.username}:{authentication.password}"
    return "Basic " + base64.b64encode(pair.encode(errors="replace")).decode("ascii")


def _sendable_key(key: str) -> str:
    """The key as servers take it: visible ASCII, not too long, and still another for each task."""
    sendable = quote(key, safe="/:@~!$&'()*+,;=[]")
    if len(sendable) <= LONGEST_KEY:
        return sendable
    return f"{sendable[:100]}~{hashlib.sha256(key.encode(errors='replace')).hexdigest()}"
