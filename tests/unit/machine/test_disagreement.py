"""Code that changed under a record is found out, whatever the change (promise 4)."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from perdure.machine import program
from perdure.machine.batch import FORMAT_VERSION, decode_batch
from perdure.machine.retry import RetryPolicy
from perdure.model.exceptions import DisagreementError, EncodingError
from tests.unit.machine.harness import Played, run


async def recorded() -> Any:
    await run("first")
    await program.sleep(1_000)
    await run("second")


def record() -> Played:
    played = Played(recorded)
    played.complete("/first", 1)
    return played


async def another_name() -> None:
    await run("initial")


async def another_kind() -> None:
    await run("first")
    await program.wait_for_event("sleep", None)


async def another_place() -> None:
    await program.gather([run("first")])


async def something_missing() -> None:
    await run("first")


async def something_more() -> None:
    await run("first")
    await program.gather([program.sleep(1), program.sleep(1)])


async def failing() -> None:
    await run("first")
    raise ValueError


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (another_name, "the record has RunTask first at /first, the code asks for RunTask initial"),
        (another_kind, "the record has StartTimer at /sleep, the code asks for WaitForEvent sleep"),
        (another_place, "the code asks for RunTask first at /gather/0/first"),
        (something_missing, "the record has StartTimer at /sleep, the code asks for Complete"),
        (something_more, "the code asks for StartTimer at /gather/0/sleep"),
        (failing, "the code asks for FailExecution"),
    ],
)
def test_a_change_is_named(changed: Callable[[], Coroutine[Any, Any, Any]], says: str) -> None:
    with pytest.raises(DisagreementError) as caught:
        record().replayed(changed)
    assert says in caught.value.detail


def test_the_same_commands_with_other_arguments_agree() -> None:
    async def longer() -> None:
        await run("first", retries=3)
        await program.sleep(99_000)
        await run("second")

    played = record()
    machine = played.replayed(longer)
    assert machine.open["/sleep"].command == played.machine.open["/sleep"].command
    machine.close()


def test_commands_beyond_those_recorded_are_named() -> None:
    async def one() -> None:
        await program.gather([run("a")])

    async def two() -> None:
        await program.gather([run("a"), run("b")])

    with pytest.raises(DisagreementError) as caught:
        Played(one).replayed(two)
    assert caught.value.position == "/gather/1/b"
    assert "which the record does not have" in caught.value.detail
    with pytest.raises(DisagreementError) as caught:
        Played(two).replayed(one)
    assert caught.value.position == "/gather/1/b"
    assert "which the code does not ask for" in caught.value.detail


def test_an_answer_to_what_the_code_does_not_ask_is_named() -> None:
    async def no_retry() -> None:
        await run("toil")

    async def retry() -> None:
        await run("toil", retries=1)

    played = Played(retry)
    played.fail("/toil")
    played.fire("/toil/~retry@1")
    played.record.pop(1)
    with pytest.raises(DisagreementError, match="TimerFired at /toil/~retry, which the code"):
        played.replayed()


def test_attempts_are_compared() -> None:
    async def retry() -> None:
        await run("toil", retries=3)

    played = Played(retry, check_replays=False)
    played.fail("/toil")
    played.fire("/toil/~retry@1")
    body = played.record[-1].replace(b'"attempt":2', b'"attempt":3')
    played.record[-1] = body
    with pytest.raises(DisagreementError, match="toil \\(attempt 3\\)"):
        played.replayed()


# -- recorded values ---------------------------------------------------------------------------


def number(output: bytes) -> int:
    try:
        return msgspec.json.decode(output, type=int)
    except msgspec.ValidationError as error:
        raise EncodingError(str(error)) from None


async def typed() -> None:
    await program.run_task("first", b"{}", None, retry=RetryPolicy(), decode=number)
    await run("second")


async def typed_and_deaf() -> None:
    try:
        await typed()
    except Exception:
        await run("second")


@pytest.mark.parametrize("program_", [typed, typed_and_deaf])
def test_a_recorded_output_that_no_longer_decodes_is_a_disagreement(
    program_: Callable[[], Coroutine[Any, Any, Any]],
) -> None:
    played = Played(recorded_text)
    played.complete("/first", "text")
    with pytest.raises(DisagreementError) as caught:
        played.replayed(program_)
    assert caught.value.position == "/first"


async def recorded_text() -> None:
    await run("first")
    await run("second")


# -- batches -----------------------------------------------------------------------------------


def test_a_batch_of_a_newer_format_is_a_disagreement_that_says_so() -> None:
    newer = b'{"v":%d,"event":{"kind":"Unheard"},"commands":[]}' % (FORMAT_VERSION + 1)
    with pytest.raises(DisagreementError, match="newer perdure"):
        decode_batch(newer)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"\xff", b'{"v":1,"event":{"kind":"Unheard","time":1}}', b'{"v":"x"}']
)
def test_a_batch_that_cannot_be_read_is_a_disagreement(body: bytes) -> None:
    with pytest.raises(DisagreementError, match="cannot be read"):
        decode_batch(body)


def test_fields_that_are_not_known_are_ignored() -> None:
    body = b'{"v":1,"later":1,"event":{"kind":"CancelRequested","time":1,"later":2}}'
    assert decode_batch(body).event.time == 1
