"""A document as a program: compiled once, begun for each execution.

The workflow's own data flow is here (dsl.md, Data Flow): `input.schema` and `input.from` before the
first task, `output.as` and `output.schema` after the last. The first `$context` is the workflow's
transformed input, as the specification's diagram says; its prose does not say.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from perdure.machine import program
from perdure.model import failure as failures
from perdure.model.exceptions import DefinitionError, FailedError
from perdure.openworkflow import announcement, effects
from perdure.openworkflow.compiling import Compiler, Place
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import is_expression, sites
from perdure.openworkflow.running import VISIT_LIMIT, Exceeded, Frame, Run, Scope
from perdure.openworkflow.timeouts import limited
from perdure.openworkflow.types import Document, decode
from perdure.openworkflow.visits import transformed, transformed_input
from perdure.ports.calls import Calls, Secrets
from perdure.ports.runtime import Served

_decode = msgspec.json.Decoder().decode
_OUTERMOST = Scope({})


class DocumentProgram:
    """A document that can be executed: a definition, as a worker hosts them."""

    def __init__(self, body: bytes, calls: Calls, secrets: Secrets) -> None:
        self._body = body
        self._calls = calls
        self._secrets = secrets
        self._compiled: _Compiled | None = None
        self.document = decode(_decode(body))

    def served(self) -> Served:
        """How it is announced."""
        digest = hashlib.sha256(self._body).hexdigest()
        return announcement.served(self.document, self._body.decode(), digest)

    async def begin(self, inputs: bytes) -> bytes:
        """The main branch of an execution: from inputs to output, both JSON.

        Raises WorkflowError with the error that ended it.
        """
        if self._compiled is None:
            try:
                self._compiled = _Compiled(self.document, self._calls, self._secrets)
            except DefinitionError as error:
                raise WorkflowError(failures.configuration(str(error))) from None
        return await self._compiled.run(_decode(inputs))


def compile(body: bytes, calls: Calls, secrets: Secrets) -> DocumentProgram:
    """The program of a document that validation has accepted, as canonical JSON.

    Its tasks are compiled when it is begun first. Raises DefinitionError for what is no document.
    """
    return DocumentProgram(body, calls, secrets)


class _Compiled:
    """A document's tasks, and the data flow around them."""

    def __init__(self, document: Document, calls: Calls, secrets: Secrets) -> None:
        compiler = Compiler(document, calls, secrets)
        place = Place()
        self._document = document
        self._tasks = compiler.sequence(document.do, place)
        self._input = compiler.input(document.input, sites.WORKFLOW_INPUT_FROM, place, "input")
        self._output = compiler.output(document.output, sites.WORKFLOW_OUTPUT_AS, place, "output")

        self._limit = None
        if document.timeout is not None:
            after = compiler.timeout(document.timeout).after
            if isinstance(after, str) and is_expression(after):  # the machine has constant ones
                self._limit = compiler.length(after, place)

    async def run(self, inputs: Any) -> bytes:
        """Run the document for these inputs; its output, as JSON. Raises WorkflowError."""
        run = Run(self._document, program.machine(), inputs)
        frame = Frame(run, _OUTERMOST, "", "", {}, inputs)
        if self._input is not None:
            with _placed("/input"):
                frame.input = await transformed_input(self._input, frame)
        run.context = frame.input
        try:
            output = await self._tasks_within_limit(frame)
        except Exceeded:
            detail = f"it has visited {VISIT_LIMIT:,} tasks, and may visit no more"
            raise WorkflowError(failures.runtime(detail, title="Too many tasks")) from None
        with _placed("/output"):
            if self._output is not None:
                output = await transformed(self._output, frame, output)
            return effects.encoded(output, "the output of the workflow")

    async def _tasks_within_limit(self, frame: Frame) -> Any:
        async def tasks() -> Any:
            output, _ = await self._tasks.run(frame.run, frame.scope, "/do", frame.input)
            return output

        if self._limit is None:
            return await tasks()
        with _placed("/timeout"):
            limit_ms = await self._limit.milliseconds(frame, frame.input)
        return await limited(frame, "/do", limit_ms, "the workflow", tasks)


@contextmanager
def _placed(instance: str) -> Iterator[None]:
    """Errors within have this place."""
    try:
        yield
    except FailedError as error:
        raise WorkflowError(error.failure.at(instance)) from error
