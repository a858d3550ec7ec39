"""The description of the API, as programs and people get it."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from perdure.api.documentation import SERVED
from perdure.api.problems import CODES
from tests.support.declared import openapi_document
from tests.unit.api.fakes import FakeRuntime, connected

BOTH = pytest.mark.parametrize("path", ["/openapi.json", "/docs"])


async def test_openapi_json_is_the_document() -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get("/openapi.json")
    assert answer.json() == openapi_document()


@BOTH
async def test_what_has_not_changed_is_not_sent_again(path: str) -> None:
    async with connected(FakeRuntime(), token=None) as client:
        first = await client.get(path)
        etag = first.headers["etag"]
        for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = await client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        other = await client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert first.headers["cache-control"] == "no-cache"


class Page(HTMLParser):
    """What the page has: elements, ids, links; and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attributes:
            assert not name.startswith(("on", "style", "src"))
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


async def test_the_page_shows_everything_and_loads_nothing() -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get("/docs")
    page = Page(answer.text)
    assert "script" not in page.elements
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        assert link == "/openapi.json" or link.removeprefix("#") in page.ids
    for route in SERVED:
        assert route.operation in page.ids
    for code in {code for route in SERVED for code in route.all_codes}:
        assert f"problem-{code}" in page.ids
        assert f"<code>{code}</code>" in answer.text
        assert code in CODES
    for name in openapi_document()["components"]["schemas"]:
        assert f"schema-{name}" in page.ids


async def test_the_page_allows_its_own_style_alone() -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get("/docs")
    policy = answer.headers["content-security-policy"]
    [style] = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
