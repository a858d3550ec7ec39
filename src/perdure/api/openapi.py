"""The OpenAPI 3.1 document of the API, made from what the server itself goes by.

Paths, bodies, queries and codes come from the routes; schemas from the structs that bodies are
decoded into and encoded from; problems from the table of codes. What a type cannot tell is written
beside it: `Meta` of a query, `headers`, `paths`, `examples`. So a route that is added to the table
is documented; tests fail where one of its parts is not described.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

import perdure.api
from perdure.api.examples import DOCUMENT, EXAMPLES, FILE_EXAMPLES, problem_example
from perdure.api.headers import ALWAYS, RESPONSE_HEADERS
from perdure.api.parameters import (
    PARAMETER,
    described_header,
    header_parameters,
    path_parameters,
    query_parameters,
)
from perdure.api.problems import CODES, ProblemBody
from perdure.api.requests import DOCUMENT_TYPES, JSON_TYPE
from perdure.api.routes import Content, Route
from perdure.api.schemas import Json, Schemas, name_of, text
from perdure.wire import requests

PROBLEM_TYPE = "application/problem+json"
_BEARER = "bearer"

_DOCUMENT: Json = {
    "description": "A document of the Open Workflow Specification, as YAML or JSON.",
    "required": True,
    "content": {
        DOCUMENT_TYPES[0]: {
            "schema": {},
            "example": msgspec.yaml.encode(DOCUMENT).decode(),
        },
        JSON_TYPE: {"schema": {}, "example": DOCUMENT},
    },
}

_INTRODUCTION = """
perdure runs workflows and never loses one. `POST /api/workflows/{workflow_id}/execute` starts an
execution; the answer comes once the start is on disk, and from then on it runs to its end whatever
happens to the process. With the id from that answer, look at its status, tasks and log, send it
events, pause, resume or cancel it.

Begin with `GET /api/workflows`, which tells what can be executed and the schema of its inputs.

Send `Authorization: Bearer <key>`; the server prints the key on its first start and keeps it in
`admin.key` in its data folder. Health checks and this description need none. A server that was
started with `--no-auth` asks for no key, and answers on loopback names only. A request that a page
of another origin makes is refused.

Bodies are JSON. Times are ISO 8601 in UTC with a `Z`. Unknown query parameters and body fields are
refused, never ignored. Lists come in pages: pass the `next_cursor` of one to get the next, with
the same filters, until it is null. Every path that has GET has HEAD, too.

Errors are `application/problem+json` (RFC 9457). `code` is the stable name of what is wrong;
`errors` locates each thing that is, as a JSON pointer into the body, `?name` for a query parameter
or `{name}` for a part of the path. Where `Retry-After` is sent, trying again may succeed.

A head may have 64 KB and has 30 seconds to arrive, a body 4 MB and 60 seconds.
"""


def document(routes: Sequence[Route]) -> Json:
    """The document of these routes, ready to be encoded."""
    schemas = Schemas(routes)
    links = {each.operation: _link(each) for each in routes if "{execution_id}" in each.path}
    responses: Json = {}
    paths: Json = {}
    for route in routes:
        operations = paths.setdefault(PARAMETER.sub(r"{\1}", route.path), {})
        operations[route.method.lower()] = _operation(route, schemas, responses, links)
    codes = sorted({code for route in routes for code in route.all_codes})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "perdure",
            "summary": "Durable workflow execution",
            "description": _INTRODUCTION.strip(),
            "version": version("perdure"),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "security": [{_BEARER: []}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "securitySchemes": {
                _BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The admin key, as `Authorization: Bearer <key>`.",
                }
            },
            "schemas": schemas.components,
            "responses": dict(sorted(responses.items())),
            "headers": {
                name: {**described_header(header), "required": header.always}
                for name, header in RESPONSE_HEADERS.items()
            },
            "links": links,
            "examples": {code: _problem_example(code) for code in codes},
        },
    }


# -- operations --------------------------------------------------------------------------------


def _operation(route: Route, schemas: Schemas, responses: Json, links: Json) -> Json:
    operation: Json = {
        "operationId": route.operation,
        "summary": route.operation.replace("_", " ").capitalize(),
        "description": text(route.handler.__doc__ or ""),
        "tags": [route.tag],
    }
    if route.public:
        operation["security"] = []
    parameters = [
        *path_parameters(route),
        *query_parameters(route.query),
        *header_parameters(route),
    ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "description": schemas.components[name_of(schemas.of(route.body))]["description"],
            "required": False,
            "content": {JSON_TYPE: _sent(route.body, schemas)},
        }
    if route.document:
        operation["requestBody"] = _DOCUMENT
    operation["responses"] = {
        **{
            str(status): _success(route, status, schemas, links) for status in sorted(route.replies)
        },
        **_problems(route, schemas, responses),
    }
    return operation


def _sent(body: type[requests.Request], schemas: Schemas) -> Json:
    """A body of a client's; its example leaves out what may be left out."""
    media = _media(body, schemas)
    default = _plain(body())
    media["example"] = {
        name: value for name, value in media.get("example", {}).items() if value != default[name]
    }
    return media


# -- answers -----------------------------------------------------------------------------------


def _success(route: Route, status: int, schemas: Schemas, links: Json) -> Json:
    content = route.replies[status]
    answer: Json = {
        "description": _answered(content, status, schemas),
        "headers": _header_references([*ALWAYS, *route.headers.get(status, ())]),
    }
    if "Location" in route.headers.get(status, ()) and route.tag == "executions":
        answer["links"] = {name: {"$ref": f"#/components/links/{name}"} for name in links}
    if route.media_types:
        bare = [name.partition(";")[0] for name in route.media_types]
        answer["content"] = {name: _file(name, content, schemas) for name in bare}
    elif isinstance(content, Mapping):
        answer["content"] = {
            name: _text_media(name, each) if isinstance(each, str) else _media(each, schemas)
            for name, each in content.items()
        }
    elif isinstance(content, tuple):
        answer["content"] = {JSON_TYPE: _choice(content, schemas)}
    elif content is not None:
        answer["content"] = {JSON_TYPE: _media(content, schemas)}
    return answer


def _answered(content: Content, status: int, schemas: Schemas) -> str:
    phrase = HTTPStatus(status).phrase
    if not isinstance(content, type):
        return f"{phrase}."
    description = schemas.components[name_of(schemas.of(content))]["description"]
    return f"{phrase}: {description.partition(chr(10) * 2)[0]}"


def _file(media_type: str, content: Content, schemas: Schemas) -> Json:
    """A file of many structs."""
    assert isinstance(content, type), "a file is a sequence of structs"
    if media_type == JSON_TYPE:
        schema = {"type": "array", "items": schemas.of(content)}
        return {"schema": schema, "example": [_plain(EXAMPLES[content])]}
    return {"schema": {"type": "string"}, "example": FILE_EXAMPLES[media_type]}


def _choice(content: Sequence[type[msgspec.Struct]], schemas: Schemas) -> Json:
    return {
        "schema": {"anyOf": [schemas.of(each) for each in content]},
        "examples": {
            name_of(schemas.of(each)): {"value": _plain(EXAMPLES[each])} for each in content
        },
    }


def _text_media(media_type: str, example: str) -> Json:
    """What is no struct: text, or a JSON object of another standard."""
    if media_type == JSON_TYPE:
        return {"schema": {"type": "object"}, "example": msgspec.json.decode(example)}
    return {"schema": {"type": "string"}, "example": example}


def _media(content: type[msgspec.Struct], schemas: Schemas) -> Json:
    media: Json = {"schema": schemas.of(content)}
    if content in EXAMPLES:
        media["example"] = _plain(EXAMPLES[content])
    return media


def _problems(route: Route, schemas: Schemas, responses: Json) -> Json:
    """A reference for each status that problems have; what several routes answer is said once."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(route.all_codes):
        by_status.setdefault(CODES[code].status, []).append(code)
    references = {}
    for status, codes in sorted(by_status.items()):
        name = f"{status}_" + "_or_".join(codes)
        responses.setdefault(name, _problem(status, codes, schemas))
        references[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return references


def _problem(status: int, codes: Sequence[str], schemas: Schemas) -> Json:
    lines = [f"- `{code}`: {CODES[code].meaning}" for code in codes]
    headers = [name for code in codes for name in CODES[code].headers]
    if any(CODES[code].retry_after_s is not None for code in codes):
        headers.append("Retry-After")
    return {
        "description": "\n".join([f"{HTTPStatus(status).phrase}.", "", *lines]),
        "headers": _header_references([*ALWAYS, *headers]),
        "content": {
            PROBLEM_TYPE: {
                "schema": schemas.of(ProblemBody),
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _problem_example(code: str) -> Json:
    known = CODES[code]
    example = _plain(problem_example(code))
    return {"summary": known.title, "description": known.meaning, "value": example}


def _link(route: Route) -> Json:
    """How the answer to a start leads on to what can be done with the execution."""
    return {
        "operationId": route.operation,
        "parameters": {"execution_id": "$response.body#/execution_id"},
    }


def _header_references(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


# -- the rest ----------------------------------------------------------------------------------


def _tags(routes: Iterable[Route]) -> list[Json]:
    """The resources, described by the modules of their names."""
    modules = {route.tag: f"{perdure.api.__name__}.{route.tag}" for route in routes}
    return [
        {"name": tag, "description": text(sys.modules[module].__doc__ or "").partition("\n\n")[0]}
        for tag, module in modules.items()
    ]


def _plain(struct: msgspec.Struct) -> Any:
    return msgspec.json.decode(msgspec.json.encode(struct))
