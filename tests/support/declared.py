"""Holds every answer that a test gets against the OpenAPI document: nothing is undeclared."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import msgspec
from jsonschema_rs import Draft202012Validator
from starlette.types import ASGIApp

from perdure.api.documentation import SERVED
from perdure.api.openapi import document

_OF_HTTP = frozenset({"content-type", "content-length"})


class DeclaredTransport(httpx.ASGITransport):
    """Calls an application, and fails where it answers what its document does not tell."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        operation = operation_of(request.method, request.url.path)
        if operation is not None:
            expect_declared(response, operation, with_body=request.method != "HEAD")
        return response


@cache
def openapi_document() -> Mapping[str, Any]:
    """The document of this API."""
    return document(SERVED)


def resolved(value: Any) -> Any:
    """What a reference within the document leads to; any other value as it is."""
    if isinstance(value, dict) and "$ref" in value:
        found: Any = openapi_document()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found
    return value


def operation_of(method: str, path: str) -> Mapping[str, Any] | None:
    """The operation that a request is to; None where there is none."""
    method = "GET" if method == "HEAD" else method
    for template, operations in openapi_document()["paths"].items():
        pattern = re.sub(r"\\{(name|\w+)\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: Mapping[str, Any] = operations[method.lower()]
            return found
    return None


def expect_declared(
    response: httpx.Response, operation: Mapping[str, Any], *, with_body: bool
) -> None:
    """Fail unless status, headers, media type, body and problem code are all declared."""
    answers = operation["responses"]
    assert str(response.status_code) in answers, f"{response.status_code} is not declared"
    declared = resolved(answers[str(response.status_code)])
    expect_headers(response, declared["headers"])
    content = declared.get("content")
    if content is None:
        assert response.content == b""
        assert "content-type" not in response.headers
        return
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type in content, f"{media_type} is not declared"
    is_file = "content-disposition" in response.headers
    if with_body and not is_file and media_type.endswith("json"):
        value = msgspec.json.decode(response.content)
        errors = list(validator(content[media_type]["schema"]).iter_errors(value))
        assert errors == []
        if media_type == "application/problem+json":
            assert value["code"] in content[media_type]["examples"], f"{value['code']}: undeclared"


def expect_headers(response: httpx.Response, declared: Mapping[str, Any]) -> None:
    """Fail unless exactly the declared headers are there; some may be missing."""
    sent = {name.lower() for name in response.headers} - _OF_HTTP
    known = {name.lower() for name in declared}
    assert sent - known == set(), "headers that are not declared"
    missing = [name for name in declared if name.lower() not in sent]
    assert not [name for name in missing if resolved(declared[name])["required"]], missing


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """For a schema that may refer to those of the document."""
    return Draft202012Validator(
        {**schema, "components": openapi_document()["components"]}, validate_formats=True
    )
