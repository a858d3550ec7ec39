"""The documentation page: HTML made of the OpenAPI document, without scripts."""

import re
import shlex
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from typing import Any

import msgspec

from perdure.api.headers import ALWAYS

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
h1, h2, h3, h4 { line-height: 1.2 }
section { border-top: 1px solid var(--line); margin-top: 2rem }
article { border-top: 1px dashed var(--line); margin-top: 1.5rem }
a { color: light-dark(#0550ae, #79b8ff) }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: 0.75rem; overflow-x: auto; max-height: 30rem }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 0.75rem 0.3rem 0; text-align: left;
  vertical-align: top }
nav li code { white-space: nowrap }
summary { cursor: pointer }
.skip:not(:focus) { position: absolute; left: -100rem }
"""

_POLICY_OF_STYLE = b64encode(sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_POLICY_OF_STYLE}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Allows the page its style and nothing else."""

Json = Mapping[str, Any]


def html(document: Json) -> str:
    """The page of an OpenAPI 3.1 document, as `openapi` makes it."""
    return _Page(document).html()


class _Page:
    def __init__(self, document: Json) -> None:
        self._document = document
        self._schemas: Json = document["components"]["schemas"]

    def html(self) -> str:
        info = self._document["info"]
        title = f"{info['title']} {info['version']}: API"
        return "".join(
            (
                '<!doctype html><html lang="en"><head><meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
                '<a class="skip" href="#content">Skip to the content</a>',
                f"<header><h1>{escape(title)}</h1>{_prose(info['description'])}",
                '<p>For programs: <a href="/openapi.json">openapi.json</a>.</p></header>',
                self._contents(),
                '<main id="content">',
                *map(self._resource, self._document["tags"]),
                '<section id="schemas"><h2>Bodies</h2>',
                *(self._schema(name, each) for name, each in self._schemas.items()),
                "</section>",
                self._problems(),
                "</main></body></html>",
            )
        )

    def _operations(self) -> Iterable[tuple[str, str, Json]]:
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                yield method.upper(), path, operation

    def _contents(self) -> str:
        items = [
            f'<li><a href="#{operation["operationId"]}">{escape(operation["summary"])}</a> '
            f"<code>{method} {escape(path)}</code></li>"
            for method, path, operation in self._operations()
        ]
        more = '<li><a href="#schemas">Bodies</a></li><li><a href="#problems">Problems</a></li>'
        return f'<nav aria-label="Contents"><ul>{"".join(items)}{more}</ul></nav>'

    def _resource(self, tag: Json) -> str:
        found = [
            self._operation(method, path, operation)
            for method, path, operation in self._operations()
            if tag["name"] in operation["tags"]
        ]
        heading = escape(tag["name"].capitalize())
        return f"<section><h2>{heading}</h2>{_prose(tag['description'])}{''.join(found)}</section>"

    def _operation(self, method: str, path: str, operation: Json) -> str:
        body = operation.get("requestBody")
        return "".join(
            (
                f'<article id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>',
                f"<p><code>{method} {escape(path)}</code></p>",
                _prose(operation["description"]),
                "" if operation.get("security") != [] else "<p>Needs no key.</p>",
                f"<pre>{escape(_curl(method, path, operation))}</pre>",
                _parameters(operation.get("parameters", ())),
                "" if body is None else f"<p>Body: {self._content(body['content'])}</p>",
                "<h4>Answers</h4><table><thead><tr><th>Status</th><th>Meaning</th></tr></thead>",
                "<tbody>",
                *(self._answer(*each) for each in operation["responses"].items()),
                "</tbody></table></article>",
            )
        )

    def _answer(self, status: str, answer: Json) -> str:
        said = self._resolved(answer)
        content = said.get("content", {})
        headers = [name for name in said["headers"] if name not in ALWAYS]
        listed = ", ".join(f"<code>{escape(name)}</code>" for name in headers)
        if "application/problem+json" in content:
            links = ", ".join(
                f'<a href="#problem-{code}"><code>{code}</code></a>'
                for code in content["application/problem+json"]["examples"]
            )
            meaning = f"{HTTPStatus(int(status)).phrase}: {links}"
        else:
            meaning = f"{_prose(said['description'])}{self._content(content)}{_examples(content)}"
        return f"<tr><td>{status}</td><td>{meaning}<br><small>{listed}</small></td></tr>"

    def _resolved(self, answer: Json) -> Json:
        if "$ref" not in answer:
            return answer
        found: Json = self._document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        return found

    def _content(self, content: Json) -> str:
        return ", ".join(
            f"<code>{escape(media_type)}</code> {_type(media['schema'])}"
            for media_type, media in content.items()
        )

    def _schema(self, name: str, schema: Json) -> str:
        required = schema.get("required", ())
        rows = [
            f"<tr><td><code>{escape(field)}</code></td><td>{_type(declared)}"
            f"{'' if field in required else ', may be left out'}</td>"
            f"<td>{_inline(declared.get('description', ''))}{_limits(declared)}</td></tr>"
            for field, declared in schema.get("properties", {}).items()
        ]
        table = f"<table><tbody>{''.join(rows)}</tbody></table>" if rows else ""
        choices = _limits(schema) if "enum" in schema else ""
        return (
            f'<article id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
            f"{_prose(schema.get('description', ''))}{choices}{table}</article>"
        )

    def _problems(self) -> str:
        rows = [
            f'<tr id="problem-{code}"><td><code>{code}</code></td>'
            f"<td>{example['value']['status']}</td><td>{_inline(example['description'])}"
            f"<details><summary>Example</summary><pre>{_json(example['value'])}</pre></details>"
            "</td></tr>"
            for code, example in self._document["components"]["examples"].items()
        ]
        head = "<thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead>"
        return (
            '<section id="problems"><h2>Problems</h2>'
            f"<table>{head}<tbody>{''.join(rows)}</tbody></table></section>"
        )


def _parameters(parameters: Iterable[Json]) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
        f"<td>{_type(each['schema'])}{', required' if each['required'] else ''}</td>"
        f"<td>{_inline(each.get('description', ''))}{_limits(each['schema'])}</td></tr>"
        for each in parameters
    ]
    if not rows:
        return ""
    head = "<tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr>"
    return f"<h4>Parameters</h4><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _type(schema: Json) -> str:
    """What a schema allows, in a few words, with links to the schemas that have names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    kind = schema.get("type", "any JSON")
    if isinstance(kind, list):
        return " or ".join(map(escape, kind))
    if kind == "array" and "items" in schema:
        return f"array of {_type(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return escape(f"{kind} ({schema['format']})" if "format" in schema else kind)


_WORDS = {
    "enum": "one of {}",
    "default": "default {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} members",
    "pattern": "matches {}",
}


def _limits(schema: Json) -> str:
    parts = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    said = [
        words.format(f"<code>{_written(part[key])}</code>")
        for part in parts
        for key, words in _WORDS.items()
        if key in part and part[key] is not None
    ]
    return f"<br><small>{'; '.join(said)}</small>" if said else ""


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "</code>, <code>".join(map(_written, value))
    return escape(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _examples(content: Json) -> str:
    return "".join(
        f"<details><summary>Example</summary><pre>{_json(media['example'])}</pre></details>"
        for media in content.values()
        if "example" in media
    )


def _json(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    return escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _curl(method: str, path: str, operation: Json) -> str:
    """A command that does it, with the example of each part that it cannot do without."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    words = ["curl"] if method == "GET" else ["curl", "-X", method]
    lines = [f"{' '.join(words)} http://127.0.0.1:8000{path}"]
    if operation.get("security") != []:
        lines.append('-H "Authorization: Bearer $PERDURE_TOKEN"')
    for media_type, media in operation.get("requestBody", {"content": {}})["content"].items():
        if media.get("example"):
            body = msgspec.json.encode(media["example"]).decode()
            lines += [f"-H 'Content-Type: {media_type}'", f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(lines)


def _prose(text: str) -> str:
    """Paragraphs; `code` in backticks is all the markup there is."""
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part)


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
