"""The bare POST: the HTTP server that perdure uses, with a plain framework and no engine behind.

It answers `POST /api/workflows/{workflow_id}/execute` as perdure does, body checked and head of an
execution returned, but starts nothing and stores nothing. What it reaches is the most that an API
on this server could::

    python -m benchmarks.bare_post --connections 50 --requests 20000

The server runs in a process of its own; the load comes from this one. It prints one JSON object, a
`load.Report`.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.load import Report, Target, generate_load
from perdure.bootstrap.http_server import embedded_server

PATH = "/api/workflows/bare/execute"
BODY = b'{"inputs":{"query":"Stockholm","days":3}}'
WARM_UP_REQUESTS = 1_000


class ExecuteBody(msgspec.Struct, forbid_unknown_fields=True):
    """What `execute` takes."""

    inputs: dict[str, msgspec.Raw]
    version: str | None = None
    tags: dict[str, str] = {}
    priority: int = 0
    start_at: datetime | None = None
    timeout: str | None = None


class ExecutionHead(msgspec.Struct):
    """What `execute` answers."""

    execution_id: str
    workflow_id: str
    workflow_version: str
    status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    tags: dict[str, str]


def application() -> Starlette:
    """Build the application with its one route."""
    decode = msgspec.json.Decoder(ExecuteBody).decode
    encode = msgspec.json.Encoder().encode
    numbers = itertools.count()

    async def execute(request: Request) -> Response:
        body = decode(await request.body())
        now = datetime.now(UTC)
        head = ExecutionHead(
            execution_id=f"exec-{next(numbers):020d}",
            workflow_id=request.path_params["workflow_id"],
            workflow_version=body.version or "1",
            status="running",
            created_at=now,
            started_at=now,
            completed_at=None,
            tags=body.tags,
        )
        location = f"/api/executions/{head.execution_id}"
        return Response(encode(head), 202, {"location": location}, "application/json")

    return Starlette(
        routes=[Route("/api/workflows/{workflow_id}/execute", execute, methods=["POST"])]
    )


def serve(listener: socket.socket) -> None:
    """Serve the application on a bound socket until a signal ends the process."""
    uvloop.run(embedded_server(application(), grace_s=0).serve(sockets=[listener]))


@contextlib.contextmanager
def bare_server() -> Iterator[str]:
    """Run the server in a process of its own; the value is its base URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bare_post", "--serve-on", str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def bare_post(*, connections: int, requests: int) -> Report:
    """Measure the bare POST, after a few requests that are not counted."""
    with bare_server() as url:
        target = Target.to(url + PATH, body=BODY)
        uvloop.run(generate_load(target, connections=connections, requests=WARM_UP_REQUESTS))
        return uvloop.run(generate_load(target, connections=connections, requests=requests))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Measure the bare POST.")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--serve-on", type=int, metavar="DESCRIPTOR", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_on is not None:
        serve(socket.socket(fileno=options.serve_on))
    else:
        report = bare_post(connections=options.connections, requests=options.requests)
        print(json.dumps(dataclasses.asdict(report)))


if __name__ == "__main__":
    main()
