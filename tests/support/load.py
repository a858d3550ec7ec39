"""Clients that start executions of `served/load.py`, and a witness of what comes of them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx

from tests.support.records import Attempt, Records
from tests.support.served.load import EVENT, expected
from tests.support.servers import Api, Server, until

WORD = 5
"""The data of every event."""
_PAUSE_S = 0.03
_NOT_NOW = {"not_ready", "shutting_down"}
_DONE_BEFORE = {"already_ended", "already_paused", "not_paused"}
"""What a request is answered that was carried out before, though its answer was lost."""
_LOGGED = ("add", "completed")
"""Name and status of the task runs that have logged a line."""

Start = tuple[str, dict[str, Any]]


def any_start(chosen: random.Random) -> Start:
    """A workflow of `served/load.py` and inputs for it."""
    starts: list[Start] = [
        ("chain", {"steps": chosen.randint(1, 8)}),
        ("fan", {"width": chosen.randint(1, 6)}),
        ("stubborn", {"failures": chosen.randint(1, 3)}),
        ("drowsy", {"length": f"{chosen.randint(1, 300)}ms"}),
        ("family", {"steps": chosen.randint(1, 4), "width": chosen.randint(1, 3)}),
        ("attentive", {"first": chosen.randint(0, 9)}),
        ("doomed", {}),
        ("hopeless", {}),
    ]
    return chosen.choice(starts)


class Clients:
    """Start, cancel, pause and resume executions, whatever becomes of the server.

    An answer that is no acknowledgement is a fault, unless the connection broke: then the server
    may or may not have done what it was asked.
    """

    def __init__(self, api: Api, *, count: int = 6) -> None:
        self._api = api
        self._count = count
        self._random = random.Random()
        self._stopping = False
        self.acknowledged: dict[str, Start] = {}
        self.cancelled: set[str] = set()
        """Those whose cancelling was acknowledged."""
        self.faults: list[str] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run them within the block; at its end what they have begun is finished."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._count):
                group.create_task(self._run())
            try:
                yield
            finally:
                self._stopping = True

    async def _run(self) -> None:
        while not self._stopping:
            workflow_id, inputs = any_start(self._random)
            wait_s = 1 if self._random.random() < 0.2 else None
            try:
                response = await self._api.execute(workflow_id, wait_s=wait_s, **inputs)
            except httpx.TransportError:
                await asyncio.sleep(_PAUSE_S)
                continue
            if response.status_code in {200, 202}:
                await self._see_to(response.json(), workflow_id, inputs)
            elif response.json()["code"] not in _NOT_NOW:
                self._fault(response)
            await asyncio.sleep(_PAUSE_S)

    async def _see_to(self, body: dict[str, Any], workflow_id: str, inputs: dict[str, Any]) -> None:
        execution_id = body["execution_id"]
        self.acknowledged[execution_id] = workflow_id, inputs
        if "result" in body and (body["status"], body["result"]) != expected(
            workflow_id, inputs, WORD
        ):
            self.faults.append(f"{body}")
        await asyncio.sleep(_PAUSE_S)
        if workflow_id == "attentive":
            await self._insist(partial(send_the_event, self._api, execution_id))
        elif workflow_id == "doomed":
            await self._control(execution_id, "cancel")
            self.cancelled.add(execution_id)
        elif workflow_id == "chain" and await self._control(execution_id, "pause"):
            response = await self._insist(
                partial(self._api.http.get, f"/api/executions/{execution_id}")
            )
            if response.json()["status"] != "paused":
                self._fault(response)
            await self._control(execution_id, "resume")

    async def _control(self, execution_id: str, what: str) -> bool:
        """Cancel, pause or resume until that is done; False if the execution has ended."""
        response = await self._insist(partial(self._api.control, execution_id, what))
        return response.status_code in {200, 202} or response.json()["code"] != "already_ended"

    async def _insist(self, request: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """Repeat a request until it is answered; what it did before may be the answer."""
        while True:
            try:
                response = await request()
            except httpx.TransportError:
                await asyncio.sleep(_PAUSE_S)
                continue
            done = response.status_code in {200, 202} or response.json()["code"] in _DONE_BEFORE
            if not done:
                self._fault(response)
            return response

    def _fault(self, response: httpx.Response) -> None:
        self.faults.append(f"{response.request.url}: {response.status_code} {response.text}")


class Witness:
    """Looks at a data folder and a diary again and again, and says what must not be."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._recorded: set[Attempt] = set()
        self._ends: dict[str, tuple[object, ...]] = {}
        self._looked_until = 0

    def look(self) -> None:
        """AssertionError where what was recorded at the last look began again, or an end changed.

        The journal is read before the diary's size: what is recorded then may not begin later.
        """
        if not (self._server.data / "perdure.db").exists():
            return
        records = Records(self._server.data)
        try:
            outcomes = set(records.outcomes())
            rows = records.rows()
        finally:
            records.close()
        until = self._server.diary.size
        again = self._recorded.intersection(self._server.diary.begun(self._looked_until))
        assert not again, f"recorded, and begun again: {sorted(again)}"
        assert self._recorded <= outcomes, f"outcomes are gone: {self._recorded - outcomes}"
        ends: dict[str, tuple[object, ...]] = {
            row.execution_id: (row.status, row.completed_at, row.error, row.run, row.next_seq)
            for row in rows
            if row.status.ended
        }
        changed = {key: (end, ends.get(key)) for key, end in self._ends.items()}
        changed = {key: both for key, both in changed.items() if both[0] != both[1]}
        assert not changed, f"ends have changed: {changed}"
        self._recorded, self._ends, self._looked_until = outcomes, ends, until


async def send_the_event(api: Api, execution_id: str) -> httpx.Response:
    """Send an execution the one event that it waits for."""
    return await api.send_event(execution_id, EVENT, WORD, event_id="the one")


async def until_all_end(api: Api, clients: Clients) -> None:
    """Do what the clients could not do for starts that were not acknowledged; wait for all ends."""
    for head in await api.executions():
        if head["completed_at"] is None and head["execution_id"] not in clients.cancelled:
            if head["workflow_id"] == "attentive":
                await send_the_event(api, head["execution_id"])
            elif head["workflow_id"] == "doomed":
                await api.control(head["execution_id"], "cancel")

    async def nothing_is_open() -> bool:
        open_ones = [head for head in await api.executions() if head["completed_at"] is None]
        assert not open_ones, open_ones[:5]
        return True

    assert await until(nothing_is_open, "every execution has ended", poll_s=0.2)


async def assert_as_expected(api: Api, clients: Clients) -> None:
    """Every execution, acknowledged or not, has come to its end, result and log."""
    assert not clients.faults, clients.faults[:5]
    heads = await api.executions()
    found = {head["execution_id"] for head in heads}
    assert not clients.acknowledged.keys() - found, "acknowledged, and gone"
    for first in range(0, len(heads), 50):
        await asyncio.gather(*(_assert_ended(api, head) for head in heads[first : first + 50]))


async def _assert_ended(api: Api, head: dict[str, Any]) -> None:
    execution_id, workflow_id = head["execution_id"], head["workflow_id"]
    whole = await api.execution(execution_id)
    wanted = expected(workflow_id, whole["inputs"], WORD)
    assert (whole["status"], whole["result"]) == wanted, whole
    assert whole["attempt"] == 1
    tasks = await api.tasks(execution_id)
    ended = {"completed", "failed"} | ({"cancelled"} if workflow_id == "doomed" else set())
    assert {task["status"] for task in tasks} <= ended, tasks
    logs = await api.logs(execution_id, limit=5)
    assert [line["seq"] for line in logs] == list(range(1, len(logs) + 1)), logs
    steps = [line["message"] for line in logs if line["message"].startswith("after step")]
    assert len(steps) == whole["inputs"].get("steps", 0) * (workflow_id == "chain"), steps
    assert len(set(steps)) == len(steps), "what the workflow logs is there once"
    added = [line for line in logs if line["message"].startswith("adding")]
    wanted_lines = [task for task in tasks if (task["name"], task["status"]) == _LOGGED]
    assert len(added) >= len(wanted_lines), "a task's line is lost"
    ends = [line for line in logs if line["message"].startswith(whole["status"])]
    assert ends, logs
