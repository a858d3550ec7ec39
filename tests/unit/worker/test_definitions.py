"""Registered definitions in a worker: compiled when needed, and validated for the engine."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

import pytest

from perdure.link import messages as m
from perdure.model.exceptions import DefinitionError
from perdure.ports.runtime import DocumentProblem, Served
from perdure.worker.programs import Validation
from tests.support.scripted_engine import EXECUTION, serving
from tests.support.virtual_time import run_virtually

SERVED = Served(workflow_id="a", version="1", digest="d", kind="document")


class Text:
    """A definition whose result is its body."""

    compiled: ClassVar[list[bytes]] = []

    def __init__(self, body: bytes) -> None:
        if body == b"broken":
            raise DefinitionError("it is broken")
        Text.compiled.append(body)
        self._body = body

    def served(self) -> Served:
        return SERVED

    async def begin(self, inputs: bytes) -> bytes:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return self._body


@pytest.fixture(autouse=True)
def _nothing_compiled() -> None:
    Text.compiled.clear()


class Validator:
    """Takes what is a number for the only thing that is wrong."""

    def validate(self, source: bytes, done: Callable[[Validation], None]) -> None:
        if source.isdigit():
            done(Validation(problems=[DocumentProblem("/do", 1, 1, "is a number")]))
        else:
            done(Validation(served=SERVED, body=source))


def test_what_was_sent_is_run_whatever_else_is_served() -> None:
    async def run() -> None:
        async with serving(Text(b"1"), compile_document=Text) as engine:
            engine.send(m.Define("d2", b"2"))
            engine.load("a", defined="d2")
            engine.load("a", execution_id="exec-2")
            assert (await engine.until_ended()).result == b"2"
            assert (await engine.until_ended("exec-2")).result == b"1"
            started = engine.batches()[0].event
            assert getattr(started, "digest", None) == "d2"

    run_virtually(run())


def test_a_definition_is_compiled_once_until_it_is_forgotten() -> None:
    async def run() -> None:
        async with serving(compile_document=Text) as engine:
            engine.send(m.Define("d", b"1"))
            await engine.settle()
            assert Text.compiled == [], "it may never be needed"
            for number in range(3):
                engine.load("a", execution_id=f"exec-{number}", defined="d")
                await engine.until_ended(f"exec-{number}")
            assert Text.compiled == [b"1"]
            engine.send(m.Forget("d"))
            engine.send(m.Forget("d"))
            engine.send(m.Define("d", b"1"))
            engine.load("a", execution_id="exec-9", defined="d")
            await engine.until_ended("exec-9")
            assert Text.compiled == [b"1", b"1"]

    run_virtually(run())


def test_one_that_cannot_be_compiled_holds_its_executions_and_no_others() -> None:
    async def run() -> None:
        async with serving(compile_document=Text) as engine:
            engine.send(m.Define("d", b"broken"))
            engine.send(m.Define("e", b"1"))
            epoch = engine.load("a", defined="d")
            engine.load("a", execution_id="exec-2", defined="e")
            held = await engine.until_sent(m.Held)
            assert (held.execution_id, held.epoch) == (EXECUTION, epoch)
            assert str(held.failure) == (
                "The definition cannot be compiled: DefinitionError: it is broken"
            )
            assert (await engine.until_ended("exec-2")).result == b"1"

    run_virtually(run())


def test_documents_are_validated() -> None:
    async def run() -> None:
        async with serving(validator=Validator()) as engine:
            engine.send(m.Validate(1, b"5"))
            engine.send(m.Validate(2, b"do:"))
            await engine.until_sent(m.Validated, 2)
            assert engine.all(m.Validated) == [
                m.Validated(1, [DocumentProblem("/do", 1, 1, "is a number")]),
                m.Validated(2, [], SERVED, b"do:"),
            ]

    run_virtually(run())


def test_without_a_front_end_every_document_is_refused() -> None:
    async def run() -> None:
        async with serving() as engine:
            engine.send(m.Validate(1, b"do:"))
            engine.send(m.Define("d", b"1"))
            engine.load("a", defined="d")
            assert "no front end" in (await engine.until_sent(m.Validated)).failed
            assert "no front end" in str((await engine.until_sent(m.Held)).failure)

    run_virtually(run())
