"""The evaluator with its real processes: hostile expressions, each beside one that is not."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.model.failure import STANDARD, Failure
from perdure.openworkflow.expressions.outside import encode_arguments
from perdure.worker.evaluator import ProcessEvaluator

DEADLINE_S = 30.0


class Asking:
    """Asks an evaluator, and waits for the answers."""

    def __init__(self, evaluator: ProcessEvaluator) -> None:
        self.evaluator = evaluator

    async def __call__(self, expression: str, value: Any = None, owner: str = "exec-1") -> Any:
        """The value, or the failure."""
        answer: asyncio.Future[bytes | Failure] = asyncio.get_running_loop().create_future()
        arguments = encode_arguments((), msgspec.json.encode([value]))
        self.evaluator.evaluate(owner, expression, arguments, answer.set_result)
        assert not answer.done()
        result = await asyncio.wait_for(answer, DEADLINE_S)
        return result if isinstance(result, Failure) else msgspec.json.decode(result)


@pytest.fixture
async def ask() -> AsyncIterator[Asking]:
    evaluator = ProcessEvaluator(asyncio.get_running_loop())
    yield Asking(evaluator)
    evaluator.close()


async def test_an_expression_is_evaluated(ask: Asking) -> None:
    assert await ask("[range(.)] | add", 5) == 10


HOSTILE = {
    "[range(1e12)]": "more than 1 s of the CPU",
    "def f: f; f": "more than 1 s of the CPU",
    "[limit(1e9; repeat(1))]": "more than 1 s of the CPU",
    "last(range(1e12))": "more than 1 s of the CPU",
    '"x" * 1e9 | length': "more than 512 MB of memory",
    ".[5e8] = 1": "more than 512 MB of memory",
    "def f: [f]; f": "more than 512 MB of memory|more than 1 s",
    "def f: 1 + f; f": "more than 512 MB of memory|more than 1 s",
    '("a" * 40 + "!") | test("^(a+)+$")': "Regex failure|more than 1 s",
    "reduce range(1000000) as $i (0; [.])": "nested too deeply|more than",
    "[range(100000)] | map(tostring * 5)": "may have 2,097,152",
    "1e1000": "its value is no JSON",
    "halt": "cannot be used",
    "input": "cannot be used",
    "$__prog_args": "not defined",
}


@pytest.mark.parametrize(("expression", "reason"), HOSTILE.items(), ids=list(HOSTILE))
async def test_a_hostile_expression_fails_and_another_is_evaluated(
    ask: Asking, expression: str, reason: str
) -> None:
    other = asyncio.ensure_future(ask(". + 1", 1, owner="exec-2"))
    hostile = await ask(expression)
    assert isinstance(hostile, Failure)
    assert hostile.type == STANDARD + "expression"
    assert hostile.status == 400
    assert any(part in hostile.detail for part in reason.split("|")), hostile.detail
    assert await other == 2


async def test_the_environment_is_empty(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_TEST_SECRET", "s3cret")
    assert await ask("[$ENV, env]") == [{}, {}]
    pid = ask.evaluator.pids()[0]
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""


async def test_a_runaway_expression_costs_others_only_its_first_time(ask: Asking) -> None:
    await ask("last(range(1e12))")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    again = asyncio.ensure_future(ask("last(range(1e12))"))
    await asyncio.sleep(0)
    assert await ask(". + 1", 1, owner="exec-2") == 2
    assert not again.done()
    assert isinstance(await again, Failure)
    assert loop.time() - begun < DEADLINE_S


async def test_owners_take_turns(ask: Asking) -> None:
    order: list[str] = []
    done = asyncio.Event()

    def note(name: str, result: object) -> None:
        order.append(name)
        if len(order) == 5:
            done.set()

    arguments = encode_arguments((), b"[1]")
    for name, owner in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")]:
        ask.evaluator.evaluate(owner, ".", arguments, partial(note, name))
    await asyncio.wait_for(done.wait(), DEADLINE_S)
    assert order == ["a1", "a2", "b1", "c1", "a3"]


async def test_what_nobody_waits_for_is_dropped(ask: Asking) -> None:
    answers: list[object] = []
    arguments = encode_arguments((), b"[1]")
    drops = [ask.evaluator.evaluate("a", ".", arguments, answers.append) for _ in range(3)]
    for drop in drops:
        drop()
    assert await ask(".", 5) == 5
    assert answers == []


async def test_too_many_waiting_evaluations_of_one_execution_fail(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perdure.worker.evaluator.WAITING", 1)
    results = await asyncio.gather(ask("1"), ask("2"), ask("3"), ask("4", owner="exec-2"))
    first, second, third, other = results
    assert (first, second, other) == (1, 2, 4)
    assert "wait to be evaluated" in third.detail


async def test_a_process_that_somebody_kills_is_replaced(ask: Asking) -> None:
    assert await ask("1") == 1
    os.kill(ask.evaluator.pids()[0], signal.SIGKILL)
    assert await ask("2") == 2
    asked = asyncio.ensure_future(ask("last(range(300000))"))
    await asyncio.sleep(0)
    os.kill(ask.evaluator.pids()[0], signal.SIGKILL)
    assert await asked == 299_999


async def test_a_process_that_grew_is_not_used_again(ask: Asking) -> None:
    assert await ask("1") == 1
    first = ask.evaluator.pids()[0]
    assert await ask('"x" * 250000000 | length') == 250_000_000
    assert await ask("2") == 2
    assert first not in ask.evaluator.pids()


async def test_large_values_pass_both_ways(ask: Asking) -> None:
    text = "x" * 1_900_000
    assert await ask(".", text) == text
