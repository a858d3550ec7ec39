"""The requests of the API: their paths and bodies."""

import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from perdure.client.connection import Query, Request
from perdure.client.filters import Moment, moment
from perdure.model.durations import Duration, milliseconds
from perdure.model.encoding import encode

_KEY = re.compile(r"[!-~]{1,255}")


def of_execution(execution_id: str, *below: str) -> str:
    """A path below an execution's."""
    return _path("executions", execution_id, *below)


def of_workflow(workflow_id: str, *below: str) -> str:
    """A path below a workflow's."""
    return _path("workflows", workflow_id, *below)


def get(path: str, query: Query = ()) -> Request:
    """A look."""
    return Request(method="GET", path=path, query=query)


def post(path: str, body: Mapping[str, Any]) -> Request:
    """A change, with its JSON body."""
    return Request(method="POST", path=path, body=msgspec.json.encode(body))


def post_document(path: str, document: str | bytes) -> Request:
    """A document, which may be JSON as well: that is YAML."""
    body = document.encode() if isinstance(document, str) else document
    return Request(
        method="POST", path=path, body=body, headers={"Content-Type": "application/yaml"}
    )


def delete(path: str) -> Request:
    """The end of something."""
    return Request(method="DELETE", path=path)


def start(
    workflow_id: str,
    inputs: Mapping[str, Any] | None,
    version: str | None,
    tags: Mapping[str, str] | None,
    priority: int | None,
    start_at: Moment | None,
    timeout: Duration | None,
    idempotency_key: str | None,
) -> Request:
    """An execution to start, once, however often it is sent. What is None is not sent.

    Raises ValueError for a key that no header can hold.
    """
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise ValueError("an idempotency key is a text of 1 to 255 visible ASCII characters")
    given = {
        "version": version,
        "tags": tags,
        "priority": priority,
        "start_at": None if start_at is None else moment(start_at),
        "timeout": f"{milliseconds(timeout)}ms" if isinstance(timeout, timedelta) else timeout,
    }
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    body["inputs"] = msgspec.Raw(encode({} if inputs is None else inputs, "the inputs"))
    return Request(
        method="POST",
        path=of_workflow(workflow_id, "execute"),
        headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
        body=msgspec.json.encode(body),
    )


def _path(*parts: str) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
