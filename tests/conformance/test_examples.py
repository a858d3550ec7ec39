"""The specification's examples: all are accepted, and those in scope do what they promise.

Over HTTP, with stand-ins for the public hosts; `examples.py` says what has to become of each.
"""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from perdure.model import failure as failures
from perdure.model.exceptions import FailedError
from perdure.openworkflow.program import compile as compile_document
from perdure.openworkflow.validation import validate
from perdure.ports.calls import HttpRequest
from perdure.ports.runtime import StartRequest
from tests.conformance.example import Example, Run
from tests.conformance.examples import EXAMPLES
from tests.conformance.examples_page import page
from tests.recovery.simulated_documents import InlineEvaluator, NoSecrets
from tests.recovery.simulation import World, execute_to_end
from tests.support.documents_over_http import names_version, register, workflow_id
from tests.support.markdown import DOCS
from tests.support.public_hosts import PublicHosts, Seen, public_hosts
from tests.support.servers import Server, server
from tests.support.specification import SPECIFICATION, examples, needs_specification

_CHILD = """\
document: {dsl: '1.0.3', namespace: test, name: register-customer, version: '0.1.0'}
do:
  - register:
      set:
        registered: ${ .customer }
"""


def text(example: Example) -> str:
    """An example's document, in a namespace of its own."""
    source = (SPECIFICATION / "examples" / example.file).read_text(encoding="utf-8")
    line = f"  namespace: {example.namespace}"
    changed, count = re.subn(r"^  namespace: .*$", line, source, count=1, flags=re.MULTILINE)
    assert count == 1
    return changed


def check(run: Run, execution: dict[str, Any]) -> None:
    """Whether an execution has ended as it should."""
    assert execution["status"] == ("failed" if run.error else "completed"), execution
    if run.error:
        assert execution["error"] == run.error
    else:
        assert execution["result"] == run.result


def check_calls(run: Run, seen: list[Seen]) -> None:
    """Whether the hosts were called as they should."""
    assert sorted(map(str, seen)) == sorted(run.calls)
    if run.query is not None:
        assert seen[-1].query == run.query
    if run.headers is not None:
        assert seen[-1].headers == run.headers


@pytest.fixture(scope="module")
def hosts() -> Iterator[PublicHosts]:
    """The stand-ins."""
    with public_hosts() as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(
    tmp_path_factory: pytest.TempPathFactory, hosts: PublicHosts
) -> AsyncIterator[Server]:
    """A server that has all examples, and the workflow that one of them runs."""
    environ = {"PERDURE_EGRESS_ALLOW": "127.0.0.1"}
    async with server(tmp_path_factory.mktemp("examples"), environ=environ) as its:
        response = await register(its.api, _CHILD)
        assert response.status_code == 201, response.text
        yield its


def named(example: Example) -> str:
    """The name of a case."""
    return example.namespace


async def accepted(serving: Server, hosts: PublicHosts, example: Example) -> str:
    """Register an example unless it is; the id of its workflow."""
    document = hosts.rewritten(text(example))
    response = await register(serving.api, document)
    assert response.status_code in (200, 201), response.text
    version = names_version(document)[1]
    path = f"/api/workflows/{workflow_id(document)}/versions/{version}"
    assert (await serving.api.http.get(path)).status_code == 200
    return workflow_id(document)


@needs_specification
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", EXAMPLES, ids=named)
async def test_it_is_accepted(example: Example, serving: Server, hosts: PublicHosts) -> None:
    await accepted(serving, hosts, example)


@needs_specification
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.refused], ids=named)
async def test_executing_it_is_refused(
    example: Example, serving: Server, hosts: PublicHosts
) -> None:
    response: httpx.Response = await serving.api.execute(await accepted(serving, hosts, example))
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "unsupported_task"
    assert example.refused in response.text


@needs_specification
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.runs and each.time == "real"], ids=named
)
async def test_it_does_what_it_promises(
    example: Example, serving: Server, hosts: PublicHosts
) -> None:
    name = await accepted(serving, hosts, example)
    for run in example.runs:
        hosts.taken()
        check(run, await serving.api.run(name, **run.inputs))
        check_calls(run, hosts.taken())


@needs_specification
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.unfit], ids=named)
async def test_inputs_that_do_not_fit_are_refused(
    example: Example, serving: Server, hosts: PublicHosts
) -> None:
    name = await accepted(serving, hosts, example)
    for inputs in example.unfit:
        response = await serving.api.execute(name, **inputs)
        assert response.status_code == 422, response.text
        assert response.json()["code"] == "invalid_inputs"


class Echo:
    """Answers calls with what they send, in virtual time."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    async def http(self, request: HttpRequest) -> bytes:
        """What was sent."""
        self.requests.append(request)
        return msgspec.json.encode({"received": request.body})


class Unavailable(Echo):
    """Answers no call."""

    async def http(self, request: HttpRequest) -> bytes:
        """503."""
        self.requests.append(request)
        raise FailedError(failures.communication("try again", 503, "Service Unavailable"))


def execute(example: Example, inputs: Any, calls: Echo, folder: Path) -> dict[str, Any]:
    """Execute an example in virtual time: its end, and how long it took in seconds."""
    document = text(example)
    body = validate(document.encode()).body
    assert body is not None
    world = World(folder, {names_version(document): compile_document(body, calls, NoSecrets())})
    world.evaluator = InlineEvaluator
    encoded = msgspec.json.encode(inputs)
    request = StartRequest(workflow_id=workflow_id(document), inputs=encoded)
    execution = world.live(execute_to_end(request))
    head, result = execution.head, execution.result
    assert head.completed_at is not None
    assert head.started_at is not None
    return {
        "status": head.status.value,
        "result": None if result is None else msgspec.json.decode(result),
        "error": msgspec.to_builtins(execution.error),
        "took_s": (head.completed_at - head.started_at) / 1000,
    }


@needs_specification
@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.time == "virtual"], ids=named
)
def test_it_does_what_it_promises_in_virtual_time(
    example: Example, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for run in example.runs:
        calls = Echo()
        execution = execute(example, run.inputs, calls, tmp_path_factory.mktemp("world"))
        check(run, execution)
        assert execution["took_s"] >= run.took_s
        called = [
            f"{each.method.upper()} {each.uri.partition('://')[2]}" for each in calls.requests
        ]
        assert called == list(run.calls)


@needs_specification
@pytest.mark.parametrize("which", ["inline", "reusable"])
def test_retries_run_out(which: str, tmp_path: Path) -> None:
    [example] = [each for each in EXAMPLES if each.file == f"try-catch-retry-{which}.yaml"]
    calls = Unavailable()
    execution = execute(example, {"petId": 1}, calls, tmp_path)
    assert execution["status"] == "failed"
    assert execution["error"]["status"] == 503
    assert execution["error"]["instance"] == "/do/0/tryGetPet/try/0/getPet"
    assert len(calls.requests) == 6
    assert execution["took_s"] == 3 + 6 + 12 + 24 + 48


@needs_specification
def test_every_example_is_there() -> None:
    assert [example.file for example in EXAMPLES] == [path.name for path in examples()]
    assert len(EXAMPLES) == 68
    for example in EXAMPLES:
        assert bool(example.runs) != bool(example.refused), example.file


def test_the_documentation_says_what_is_tested() -> None:
    assert (DOCS / "examples.md").read_text(encoding="utf-8") == page()
