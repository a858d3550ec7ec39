"""The steps of the conformance kit's scenarios, carried out over HTTP."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import yaml

from tests.support.documents_over_http import register, traced, workflow_id
from tests.support.features import Step
from tests.support.public_hosts import PublicHosts
from tests.support.servers import Api


class Run:
    """A scenario as it is carried out; what it has come to so far."""

    def __init__(self, api: Api, hosts: PublicHosts) -> None:
        self._api = api
        self._hosts = hosts
        self._document = ""
        self._inputs: dict[str, Any] = {}
        self._execution: dict[str, Any] = {}
        self._ran: list[str] | None = None

    async def perform(self, step: Step) -> None:
        """Carry out a step. Raises NotImplementedError for one that is not understood."""
        for pattern, carry_out in _STEPS:
            if found := re.fullmatch(pattern, step.text):
                needs = pattern.endswith(":")
                assert (step.document is not None) == needs, "a step with text ends with a colon"
                document = () if step.document is None else (step.document,)
                await carry_out(self, *found.groups(), *document)
                return
        raise NotImplementedError(f"line {step.line}: the step is not understood: {step.text}")

    # -- given, when ---------------------------------------------------------------------------

    async def define(self, document: str) -> None:
        """Register the document."""
        self._document = self._hosts.rewritten(document)
        response = await register(self._api, self._document)
        assert response.status_code == 201, response.text

    async def give(self, inputs: str) -> None:
        """Take the inputs."""
        self._inputs = yaml.safe_load(inputs)

    async def execute(self) -> None:
        """Execute, and wait for the end."""
        self._execution = await self._api.run(workflow_id(self._document), **self._inputs)

    # -- then ----------------------------------------------------------------------------------

    async def completed(self) -> None:
        """It has completed."""
        assert self._execution["status"] == "completed", self._execution
        assert self._execution["error"] is None

    async def completed_with(self, output: str) -> None:
        """It has completed with exactly this output."""
        await self.completed()
        assert self._execution["result"] == yaml.safe_load(output)

    async def faulted(self) -> None:
        """It has failed."""
        assert self._execution["status"] == "failed", self._execution
        assert self._execution["error"] is not None

    async def faulted_with(self, error: str) -> None:
        """It has failed with these properties of its error."""
        await self.faulted()
        expected = yaml.safe_load(error)
        actual = self._execution["error"]
        assert {name: actual[name] for name in expected} == expected

    async def has_properties(self, quoted: str) -> None:
        """The output has all of these."""
        for path in re.findall("'([^']+)'", quoted):
            self._property(path)

    async def has_value(self, path: str, value: str) -> None:
        """The output has a property of exactly this value."""
        assert self._property(path) == yaml.safe_load(value)

    async def has_items(self, path: str, count: str) -> None:
        """The output has a property that is a list of this length."""
        items = self._property(path)
        assert isinstance(items, list)
        assert len(items) == int(count)

    async def ran_first(self, task: str) -> None:
        """No task ran before this one."""
        assert (await self._order())[0] == task

    async def ran_last(self, task: str) -> None:
        """No task ran after this one."""
        assert (await self._order())[-1] == task

    async def ran_after(self, task: str, other: str) -> None:
        """This one ran after the other."""
        order = await self._order()
        assert order.index(task) > order.index(other)

    def _property(self, path: str) -> Any:
        """A property of the output, by names with dots between; it has to be there."""
        value = self._execution["result"]
        for name in path.split("."):
            assert isinstance(value, dict), f"{path}: {value} has no properties"
            assert name in value, f"{path}: there are {', '.join(value)}"
            value = value[name]
        return value

    async def _order(self) -> list[str]:
        """The order in which the tasks of a traced copy run, for the same inputs."""
        if self._ran is None:
            copy = traced(self._document)
            response = await register(self._api, copy)
            assert response.status_code == 201, response.text
            execution = await self._api.run(workflow_id(copy), **self._inputs)
            assert execution["status"] == "completed", execution
            self._ran = execution["result"]
        assert len(set(self._ran)) == len(self._ran), "a task ran twice: what came first?"
        return self._ran


_STEPS: tuple[tuple[str, Callable[..., Awaitable[None]]], ...] = (
    (r"a workflow with definition:", Run.define),
    (r"given the workflow input is:", Run.give),
    (r"the workflow is executed", Run.execute),
    (r"the workflow should complete", Run.completed),
    (r"the workflow should complete with output:", Run.completed_with),
    (r"the workflow should fault", Run.faulted),
    (r"the workflow should fault with error:", Run.faulted_with),
    (r"the workflow output should have properties ('[^']+'(?:, '[^']+')*)", Run.has_properties),
    (r"the workflow output should have a '([^']+)' property with value:", Run.has_value),
    (
        r"the workflow output should have a '([^']+)' property containing (\d+) items",
        Run.has_items,
    ),
    (r"(\w+) should run first", Run.ran_first),
    (r"(\w+) should run last", Run.ran_last),
    (r"(\w+) should run after (\w+)", Run.ran_after),
)
