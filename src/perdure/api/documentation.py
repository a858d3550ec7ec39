"""The description of this API: for programs as OpenAPI 3.1, for people as one page.

Both are public, as they hold no more than the source does, and are made once, when first asked
for. The page is our own and made on the server. Of the packages that ship a viewer, the one made
for that alone (swagger-ui-bundle 1.1.0, of 2023) is too old for OpenAPI 3.1, scalar-fastapi loads
its scripts from the internet, fastapi-offline brings FastAPI, and swagger-ui-py is 25 MB unpacked;
each shows nothing without a megabyte of scripts. The page needs none, so its
Content-Security-Policy allows none.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import msgspec

from perdure.api import documentation_page, openapi, routes
from perdure.api.conditional import is_known
from perdure.api.replies import Reply
from perdure.api.requests import Request
from perdure.api.routes import Route

_REVALIDATED = b"no-cache"


class _Document:
    """A text that is the same for everyone, and may be kept as long as it is asked for again."""

    def __init__(
        self, text: str, media_type: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self._body = text.encode()
        self._media_type = media_type
        self._etag = b'"%s"' % blake2b(self._body, digest_size=12).hexdigest().encode()
        self._headers = (*headers, (b"etag", self._etag))

    def reply(self, request: Request) -> Reply:
        """It, or 304 where the client has it."""
        if is_known(request, self._etag):
            return Reply(304, None, headers=self._headers, cache_control=_REVALIDATED)
        return Reply(200, self._body, self._media_type, self._headers, _REVALIDATED)


async def openapi_document(request: Request) -> Reply:
    """The OpenAPI 3.1 document of this API, to generate clients and tests from."""
    return _openapi_json().reply(request)


async def page(request: Request) -> Reply:
    """The documentation of this API as a page for people, with a curl line for each operation.

    It needs neither scripts nor the internet.
    """
    return _page().reply(request)


SERVED: tuple[Route, ...] = (
    *routes.ROUTES,
    Route(
        "GET",
        "/openapi.json",
        openapi_document,
        {
            200: {"application/json": '{"openapi": "3.1.0"}'},
            304: None,
        },
        name="get_openapi_document",
        takes=("If-None-Match",),
        headers={200: ("ETag",), 304: ("ETag",)},
        public=True,
    ),
    Route(
        "GET",
        "/docs",
        page,
        {200: {"text/html": "<!doctype html><title>perdure</title>"}, 304: None},
        name="get_documentation",
        takes=("If-None-Match",),
        headers={
            200: ("ETag", "Content-Security-Policy"),
            304: ("ETag", "Content-Security-Policy"),
        },
        public=True,
    ),
)
"""Every route, with those of this file."""


@cache
def _openapi_json() -> _Document:
    text = msgspec.json.encode(openapi.document(SERVED)).decode()
    return _Document(text, b"application/json")


@cache
def _page() -> _Document:
    policy = (b"content-security-policy", documentation_page.CONTENT_SECURITY_POLICY.encode())
    text = documentation_page.html(openapi.document(SERVED))
    return _Document(text, b"text/html; charset=utf-8", [policy])
