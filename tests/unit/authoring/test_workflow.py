import hashlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from perdure import ChildHandle, continue_as_new, task, workflow
from perdure.authoring import source
from perdure.authoring.workflow import Workflow
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model.exceptions import DefinitionError, DisagreementError, EncodingError, UsageError
from tests.unit.machine.harness import START_MS, Played, raw


@dataclass
class Answer:
    text: str
    words: int


@task
async def work() -> None: ...


@workflow(version="2", title="Answering", tags={"team": "weather"}, timeout="1h")
async def answer(question: str, loud: bool = False) -> Answer:
    """Answer a question."""
    await work()
    return Answer(question.upper() if loud else question, len(question.split()))


# -- what a workflow is ------------------------------------------------------------------------


def test_a_workflow_is_announced_with_what_it_takes() -> None:
    served = answer.served()
    written = inspect.getsource(inspect.unwrap(answer))
    assert served.workflow_id == "answer"
    assert served.version == "2"
    assert served.title == "Answering"
    assert served.tags == {"team": "weather"}
    assert served.timeout_ms == 3_600_000
    assert served.digest == hashlib.sha256(written.encode()).hexdigest()
    assert served.source == written
    assert written.startswith('@workflow(version="2", title="Answering"')
    assert json.loads(served.input_schema) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answering",
        "description": "Answer a question.",
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "loud": {"type": "boolean", "default": False},
        },
        "required": ["question"],
        "additionalProperties": False,
    }


def test_a_source_is_shown_unless_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    length = len(inspect.getsource(inspect.unwrap(answer)).encode())
    monkeypatch.setattr(source, "TEXT_LIMIT_BYTES", length)
    assert answer.served().source is not None
    monkeypatch.setattr(source, "TEXT_LIMIT_BYTES", length - 1)
    served = answer.served()
    assert served.source is None
    assert served.digest == answer.served().digest != ""


def test_code_that_was_never_in_a_file_has_the_source_of_its_module() -> None:
    namespace = {"__name__": __name__}
    exec("async def made() -> int:\n    return 1", namespace)  # noqa: S102 - code without a file
    made = Workflow(cast(Any, namespace["made"])).served()
    assert made.source == Path(__file__).read_text(encoding="utf-8")
    namespace = {"__name__": "nowhere"}
    exec("async def lost() -> int:\n    return 1", namespace)  # noqa: S102 - and without a module
    lost = Workflow(cast(Any, namespace["lost"])).served()
    assert (lost.source, lost.digest) == (None, "")


def test_a_workflow_without_options_has_the_name_of_its_function() -> None:
    @workflow
    async def no_options() -> None: ...

    assert (no_options.id, no_options.version, no_options.timeout_ms) == ("no_options", "1", None)
    assert repr(no_options) == "workflow no_options"
    assert no_options.place.startswith(f"{__file__}:")


async def test_outside_of_a_workflow_it_just_runs() -> None:
    assert await answer("how warm") == Answer("how warm", 2)


async def is_async() -> None: ...


def is_plain() -> None: ...


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (is_plain, {}, "declare it with async def"),
        (is_async, {"id": "a b"}, "a workflow's id is"),
        (is_async, {"id": "x" * 129}, "a workflow's id is"),
        (is_async, {"version": 1}, "version is a text"),
        (is_async, {"version": ""}, "version is a text"),
        (is_async, {"timeout": "0s"}, "workflow is_async: timeout"),
        (is_async, {"tags": {"a": 1}}, "tags are texts"),
    ],
)
def test_what_cannot_work_says_what_to_do(
    function: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        workflow(**options)(function)
    assert says in str(caught.value)


# -- executed ----------------------------------------------------------------------------------


def test_inputs_become_arguments_and_the_result_becomes_json() -> None:
    played = Played(answer, b'{"question":"how warm","loud":true}')
    played.complete("/work")
    assert played.result == {"text": "HOW WARM", "words": 2}


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (b"{}", "the arguments of workflow answer: Object missing required field `question`"),
        (b'{"question":1}', "the arguments of workflow answer: /question: Expected `str`"),
        (b'{"question":"","x":1}', "the arguments of workflow answer: Object contains unknown"),
        (b"[]", "the arguments of workflow answer: Expected `object`, got `array`"),
    ],
)
def test_inputs_that_do_not_fit_fail_the_execution(inputs: bytes, says: str) -> None:
    failure = Played(answer, inputs, check_replays=False).failure
    assert failure.type.endswith("/validation")
    assert says in failure.detail


def test_recorded_inputs_that_no_longer_fit_hold_it() -> None:
    @workflow(id="answer")
    async def renamed(query: str) -> None:
        await work()

    played = Played(answer, b'{"question":"how warm"}')
    with pytest.raises(DisagreementError, match="question"):
        played.replayed(renamed)


def test_a_result_of_another_type_than_declared_fails_the_execution() -> None:
    @workflow
    async def lying() -> int:
        return "text"  # type: ignore[return-value]

    assert "the result of workflow lying does not fit" in Played(lying).failure.detail


def test_a_workflow_can_continue_as_new() -> None:
    @workflow
    async def counting(number: int) -> None:
        await work()
        continue_as_new(number=number + 1)

    played = Played(counting, b'{"number":1}')
    played.complete("/work")
    assert bytes(played.last(c.ContinueAsNew).input) == b'{"number":2}'


def test_a_workflow_does_not_continue_with_inputs_that_do_not_fit() -> None:
    @workflow
    async def counting(number: int) -> None:
        continue_as_new(numer=number + 1)

    failure = Played(counting, b'{"number":1}').failure
    assert "unknown field `numer`" in failure.detail


# -- as a child --------------------------------------------------------------------------------


@workflow
async def parent() -> int:
    return (await answer("how warm", loud=True)).words


def test_a_workflow_awaited_in_another_is_its_child() -> None:
    played = Played(parent)
    command = played.last(c.StartChild)
    assert (command.workflow_id, command.version, command.wait) == ("answer", "2", True)
    assert json.loads(bytes(command.input)) == {"question": "how warm", "loud": True}
    played.deliver(
        e.ChildCompleted(
            time=START_MS,
            position="/child:answer",
            execution_id="exec-1",
            result=raw({"text": "", "words": 5}),
        )
    )
    assert played.result == 5


def test_a_recorded_result_of_a_child_of_another_type_holds_the_parent() -> None:
    played = Played(parent)
    with pytest.raises(DisagreementError) as caught:
        played.deliver(
            e.ChildCompleted(
                time=START_MS, position="/child:answer", execution_id="exec-1", result=raw(5)
            )
        )
    assert caught.value.position == "/child:answer"


def test_a_child_can_be_started_to_live_on_its_own() -> None:
    @workflow
    async def starting() -> str:
        handle = await answer.start("how warm")
        assert isinstance(handle, ChildHandle)
        return handle.execution_id

    played = Played(starting)
    assert not played.last(c.StartChild).wait
    played.deliver(e.ChildStarted(time=START_MS, position="/child:answer", execution_id="exec-1"))
    assert played.result == "exec-1"


def test_wrong_arguments_of_a_child_are_an_error_at_the_call() -> None:
    async def calling() -> list[str]:
        said = []
        wrongs: list[dict[str, Any]] = [{"question": 1}, {"query": "x"}]
        for wrong in wrongs:
            try:
                await answer(**wrong)
            except (EncodingError, TypeError) as error:
                said.append(type(error).__name__)
        return said

    assert Played(calling).result == ["EncodingError", "TypeError"]


def test_starting_a_child_elsewhere_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="POST to /api/workflows/answer/execute"):
        _ = answer.start("how warm")
