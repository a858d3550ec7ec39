"""Runs a document on a bare machine: calls, children and time are played.

Every batch goes through the encoding of the journal. With `crashes`, the machine is dropped after
each and rebuilt from the record, as after a crash behind every commit; nothing is called again.
"""

import json
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import decode_batch, encode_batch
from perdure.machine.machine import Machine
from perdure.machine.uncaught import failure_of
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.failure import STANDARD, Failure
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import outside
from perdure.openworkflow.expressions.programs import ProgramError
from perdure.openworkflow.program import DocumentProgram, compile
from perdure.ports.calls import HttpRequest

START_MS = 1_700_000_000_000
EXECUTION_ID = "0198f2c1-0000-7000-8000-000000000000"
SEED = 7

HEADER = {"dsl": "1.0.3", "namespace": "test", "name": "played", "version": "1.0.0"}


@dataclass
class Response:
    """What a call is answered: a status, content, and after how long."""

    status: int = 200
    content: Any = None
    takes_ms: int = 0


class PlayedCalls:
    """Answers calls by URI, each with the next of its responses; the last one is repeated."""

    def __init__(self, responses: Mapping[str, Sequence[Response]]) -> None:
        self._responses = {uri: list(each) for uri, each in responses.items()}
        self.requests: list[HttpRequest] = []
        self.takes_ms = 0
        """How long the last call takes."""

    async def http(self, request: HttpRequest) -> bytes:
        self.requests.append(request)
        responses = self._responses.get(request.uri, [Response(status=404)])
        response = responses.pop(0) if len(responses) > 1 else responses[0]
        self.takes_ms = response.takes_ms
        if response.status >= (400 if request.redirect else 300):
            text = f"{request.method} {request.uri} was answered {response.status}"
            raise WorkflowError(
                Failure(
                    type=f"{STANDARD}communication",
                    status=response.status,
                    title="Communication error",
                    detail=text,
                )
            )
        if request.output != "response":
            return json.dumps(response.content).encode()
        described = {"method": request.method, "uri": request.uri, "headers": {}}
        return json.dumps(
            {
                "request": described,
                "statusCode": response.status,
                "headers": {},
                "content": response.content,
            }
        ).encode()


class PlayedSecrets:
    """Secrets by name."""

    def __init__(self, secrets: Mapping[str, Any]) -> None:
        self._secrets = secrets

    def get(self, name: str) -> Any:
        if name not in self._secrets:
            raise WorkflowError(
                Failure(type=f"{STANDARD}authorization", status=403, title="No such secret")
            )
        return self._secrets[name]


@dataclass
class Child:
    """How a child workflow ends: with an output, or an error."""

    output: Any = None
    error: Failure | None = None
    takes_ms: int = 0


@dataclass(order=True)
class _Pending:
    due_ms: int
    number: int
    event: e.AnyEvent = field(compare=False)


class DocumentRun:
    """One execution of a document."""

    def __init__(
        self,
        document: Mapping[str, Any],
        inputs: Any = None,
        *,
        responses: Mapping[str, Sequence[Response]] | None = None,
        secrets: Mapping[str, Any] | None = None,
        children: Mapping[str, Child] | None = None,
        crashes: bool = False,
        seed: int = SEED,
    ) -> None:
        tree = {"document": HEADER, **document}
        self.calls = PlayedCalls(responses or {})
        self.program: DocumentProgram = compile(
            json.dumps(tree).encode(), self.calls, PlayedSecrets(secrets or {})
        )
        self._inputs = json.dumps({} if inputs is None else inputs).encode()
        self._children = children or {}
        self._crashes = crashes
        self._seed = seed
        self._pending: list[_Pending] = []
        self._number = 0
        self.time_ms = START_MS
        self.machine = self._new_machine()
        self.record: list[bytes] = []
        self.commands: list[c.AnyCommand] = []
        """All that was asked for."""

    # -- driving ---------------------------------------------------------------------------------

    def run(self, *, at_most: int = 10_000) -> "DocumentRun":
        """Run to the end."""
        self.start()
        for _ in range(at_most):
            if self.machine.ended:
                return self
            self.go_on()
        raise AssertionError(f"it has not ended after {at_most} events: {list(self.machine.open)}")

    def start(self) -> None:
        """Begin."""
        self.deliver(
            e.ExecutionStarted(
                time=self.time_ms,
                seed=self._seed,
                workflow_id=self.program.document.document.workflow_id,
                workflow_version=self.program.document.document.version,
                timeout_ms=self.program.served().timeout_ms,
            )
        )

    def go_on(self) -> None:
        """Let the next thing happen that is due."""
        assert self._pending, f"nothing will happen any more: {list(self.machine.open)}"
        pending = min(self._pending)
        self._pending.remove(pending)
        self.time_ms = max(self.time_ms, pending.due_ms)
        self.deliver(msgspec.structs.replace(pending.event, time=self.time_ms))

    def deliver(self, event: e.AnyEvent) -> None:
        """Deliver an event, record its batch, and see to what was asked for."""
        asked = self.machine.deliver(event)
        if asked is None:
            return
        self.record.append(encode_batch(event, asked))
        self.commands += asked
        if self._crashes and not self.machine.ended:
            self.machine.close()
            self.machine = self.replayed()
        for command in asked:
            self._carry_out(command)

    def cancel(self) -> None:
        """Somebody asks for the execution to be cancelled."""
        self.deliver(e.CancelRequested(time=self.time_ms))

    def replayed(self) -> Machine:
        """A new machine after a replay of the record."""
        machine = self._new_machine()
        for body in self.record:
            machine.replay(decode_batch(body))
        return machine

    # -- looking ---------------------------------------------------------------------------------

    @property
    def end(self) -> c.AnyCommand:
        """The command with which it ended."""
        assert self.machine.ended
        return self.commands[-1]

    @property
    def output(self) -> Any:
        """The output with which it completed."""
        assert isinstance(self.end, c.CompleteExecution), self.end
        return json.loads(bytes(self.end.result))

    @property
    def error(self) -> Failure:
        """The error with which it failed."""
        assert isinstance(self.end, c.FailExecution), self.end
        return self.end.failure

    @property
    def took_ms(self) -> int:
        """How much time has passed."""
        return self.time_ms - START_MS

    def positions(self, *kinds: type[c.Command]) -> list[str]:
        """The positions of all commands of these kinds, in order, but perdure's checkpoints."""
        return [
            command.position
            for command in self.commands
            if isinstance(command, kinds) and not command.position.endswith("/~checkpoint")
        ]

    # -- playing ---------------------------------------------------------------------------------

    def _new_machine(self) -> Machine:
        return Machine(self.program, self._inputs, execution_id=EXECUTION_ID)

    def _carry_out(self, command: c.AnyCommand) -> None:
        position = command.position
        if isinstance(command, c.RunTask):
            self._run_task(command)
        elif isinstance(command, c.CancelTask):
            self._forget(position)
            entry = self.machine.open.get(position)
            if entry is not None and isinstance(entry.command, c.RunTask):
                self._expect(0, e.TaskCancelled(time=0, position=position, attempt=1))
        elif isinstance(command, c.Evaluate):
            self._evaluate(command)
        elif isinstance(command, c.StartTimer):
            self._expect(command.due_ms - self.time_ms, e.TimerFired(time=0, position=position))
        elif isinstance(command, c.CancelTimer):
            self._forget(position)
        elif isinstance(command, c.StartChild):
            self._start_child(command)
        elif isinstance(command, c.CancelChild):
            self._forget(position)
            self._expect(0, e.ChildCancelled(time=0, position=position, execution_id="child"))

    def _run_task(self, command: c.RunTask) -> None:
        subject: Any = self.machine.open[command.position].subject
        self.calls.takes_ms = 0
        event: e.AnyEvent
        try:
            output = _returned(subject.invoke(bytes(command.input)))
            event = e.TaskCompleted(
                time=0, position=command.position, attempt=1, output=msgspec.Raw(output)
            )
        except Exception as error:
            event = e.TaskFailed(
                time=0, position=command.position, attempt=1, failure=failure_of(error)
            )
        self._expect(self.calls.takes_ms, event)

    def _evaluate(self, command: c.Evaluate) -> None:
        """Evaluate, before anything else happens."""
        event: e.AnyEvent
        try:
            output = outside.evaluate(command.expression, bytes(command.arguments)).encode()
            if len(output) > VALUE_LIMIT_BYTES:  # as the evaluator says it
                raise ProgramError(f"its value has over {VALUE_LIMIT_BYTES:,} bytes")
            event = e.Evaluated(time=0, position=command.position, output=msgspec.Raw(output))
        except ProgramError as error:
            failure = failures.expression(str(error))
            event = e.EvaluationFailed(time=0, position=command.position, failure=failure)
        self._expect(-self.time_ms, event)

    def _start_child(self, command: c.StartChild) -> None:
        child = self._children.get(command.workflow_id)
        position = command.position
        event: e.AnyEvent
        if child is None:
            reason = failures.configuration(f"there is no workflow {command.workflow_id}")
            event = e.ChildFailed(time=0, position=position, failure=reason)
        elif not command.wait:
            event = e.ChildStarted(time=0, position=position, execution_id="child")
        elif child.error is not None:
            event = e.ChildFailed(time=0, position=position, failure=child.error)
        else:
            result = msgspec.Raw(json.dumps(child.output).encode())
            event = e.ChildCompleted(time=0, position=position, execution_id="child", result=result)
        self._expect(child.takes_ms if child else 0, event)

    def _expect(self, in_ms: int, event: e.AnyEvent) -> None:
        self._number += 1
        self._pending.append(_Pending(self.time_ms + in_ms, self._number, event))

    def _forget(self, position: str) -> None:
        self._pending = [each for each in self._pending if each.event.position != position]


def _returned(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        returned: bytes = stop.value
        return returned
    raise AssertionError("a played task waits for something")
