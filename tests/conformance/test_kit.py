"""The specification's conformance kit, over HTTP, with stand-ins for the public hosts.

Of its documents only the endpoints at public hosts are changed, to those of their stand-ins. Each
step is understood or fails. The kit uses two names of workflows twice: the documents that come
second are registered with a server of their own, since the first one refuses them.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.kit_steps import Run
from tests.support.documents_over_http import names_version, register, workflow_id
from tests.support.features import Scenario, Step, scenarios
from tests.support.public_hosts import PublicHosts, public_hosts
from tests.support.servers import Api, Server, server
from tests.support.specification import features, needs_specification

pytestmark = needs_specification

SCENARIOS = [scenario for feature in features() for scenario in scenarios(feature)]
UNSUPPORTED = {
    "call: Call OpenAPI With Content Output": "call openapi at /do/0/findPet",
    "call: Call OpenAPI With Response Output": "call openapi at /do/0/getPet",
}
"""Scenarios with tasks that are not executed yet: executing them is refused, naming the task."""
NAMES_TWICE = {"output-filtering", "switch-default-implicit"}
"""Workflows that the kit defines twice, under the same version."""


def definition(scenario: Scenario) -> str:
    """The document of a scenario."""
    [document] = [
        step.document for step in scenario.steps if step.text == "a workflow with definition:"
    ]
    assert document is not None
    return document


def editions() -> dict[str, int]:
    """How many documents of the same workflow and version come before that of each scenario."""
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    for scenario in SCENARIOS:
        which = names_version(definition(scenario))
        found[scenario.id] = seen[which]
        seen[which] += 1
    return found


EDITIONS = editions()


@pytest.fixture(scope="module")
def hosts() -> Iterator[PublicHosts]:
    """The stand-ins."""
    with public_hosts() as service:
        yield service


Servers = Callable[[int], Awaitable[Server]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """A server for each edition, started when it is asked for."""
    async with AsyncExitStack() as stack:
        started: dict[int, Server] = {}

        async def of(edition: int) -> Server:
            if edition not in started:
                folder = tmp_path_factory.mktemp(f"edition-{edition}")
                environ = {"PERDURE_EGRESS_ALLOW": "127.0.0.1"}
                started[edition] = await stack.enter_async_context(server(folder, environ=environ))
            return started[edition]

        yield of


def named(scenario: Scenario) -> str:
    """The name of a case."""
    return scenario.id


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if each.id not in UNSUPPORTED], ids=named
)
async def test_scenario(scenario: Scenario, servers: Servers, hosts: PublicHosts) -> None:
    at = await servers(EDITIONS[scenario.id])
    run = Run(at.api, hosts)
    for step in scenario.steps:
        await run.perform(step)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if each.id in UNSUPPORTED], ids=named
)
async def test_scenario_with_an_unsupported_task(
    scenario: Scenario, servers: Servers, hosts: PublicHosts
) -> None:
    at = await servers(EDITIONS[scenario.id])
    document = definition(scenario)
    assert (await register(at.api, hosts.rewritten(document))).status_code == 201
    response = await at.api.execute(workflow_id(document))
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "unsupported_task"
    assert UNSUPPORTED[scenario.id] in response.text


@pytest.mark.asyncio(loop_scope="module")
async def test_other_content_under_the_same_version_is_refused(
    servers: Servers, hosts: PublicHosts
) -> None:
    at = await servers(0)
    for scenario in SCENARIOS:
        if EDITIONS[scenario.id] == 0:
            continue
        name, _ = names_version(definition(scenario))
        first = next(x for x in SCENARIOS if names_version(definition(x))[0] == name)
        again = await register(at.api, hosts.rewritten(definition(first)))
        assert again.status_code in (200, 201), again.text
        response = await register(at.api, hosts.rewritten(definition(scenario)))
        assert response.status_code == 409, response.text


def test_the_kit_is_what_it_was() -> None:
    """21 scenarios, two of them with tasks that are not executed yet."""
    assert len(SCENARIOS) == len({scenario.id for scenario in SCENARIOS}) == 21
    assert {scenario.id for scenario in SCENARIOS} >= set(UNSUPPORTED)
    twice = {names_version(definition(x))[0] for x in SCENARIOS if EDITIONS[x.id]}
    assert twice == NAMES_TWICE


def test_features_are_there(request: pytest.FixtureRequest) -> None:
    assert all(isinstance(feature, Path) for feature in features())
    assert len(features()) == 11


@pytest.mark.parametrize("text", ["the workflow should cancel", "the workflow should complete."])
async def test_a_step_that_is_not_understood_fails(text: str, hosts: PublicHosts) -> None:
    run = Run(Api("http://127.0.0.1:1"), hosts)
    with pytest.raises(NotImplementedError, match="not understood"):
        await run.perform(Step(text, None, 1))
