"""Whatever the program and whatever happens to it: a replay gives the same (design, idea 2)."""

from collections import Counter

import msgspec
from hypothesis import HealthCheck, example, given, settings

from perdure.machine import commands as c
from perdure.machine import events as e
from tests.unit.machine.harness import Played, state_of
from tests.unit.machine.programs import Step, courses, play, programs

often = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])

WOKEN_TWICE = Step(
    "caught",
    parts=(
        Step(
            "gather",
            parts=(
                Step("sequence", parts=(Step("gather", parts=(Step("draw"),)), Step("task", "a"))),
                Step("wrong"),
            ),
        ),
        Step("task", "b"),
    ),
)


@often
@given(programs, courses)
@example(WOKEN_TWICE, [3, 3, 3])
def test_replaying_any_part_of_the_record_and_going_on_gives_the_rest(
    step: Step, course: list[int]
) -> None:
    played = play(step, course)
    batches = played.batches()
    for replayed in range(len(batches) + 1):
        machine = played.new_machine()
        for batch in batches[:replayed]:
            machine.replay(batch)
        for batch in batches[replayed:]:
            asked = machine.deliver(batch.event)
            assert asked is not None
            assert msgspec.json.encode(asked) == msgspec.json.encode(batch.commands)
        assert state_of(machine) == state_of(played.machine)
        machine.close()
    played.machine.close()


@often
@given(programs, courses)
@example(WOKEN_TWICE, [3, 3, 3])
def test_the_record_keeps_the_rules(step: Step, course: list[int]) -> None:
    played = play(step, course)
    batches = played.batches()
    commands = [command for batch in batches for command in batch.commands]
    _each_position_is_used_once(commands)
    _answers_are_to_what_was_asked(played)
    for command in commands[:-1]:
        assert not isinstance(command, c.ENDS)
    if played.machine.ended:
        assert not played.open
        assert isinstance(commands[-1], c.ENDS)
        if isinstance(commands[-1], c.FailExecution):
            assert commands[-1].failure.title in {"ValueError", "Wrong", "Timed out", "Cancelled"}
    played.machine.close()


def _each_position_is_used_once(commands: list[c.AnyCommand]) -> None:
    asked = Counter(
        (command.position, command.attempt if isinstance(command, c.RunTask) else 1)
        for command in commands
        if command.begins
    )
    assert all(count == 1 for count in asked.values())
    withdrawn = Counter(
        (type(command), command.position)
        for command in commands
        if isinstance(command, c.CancelTask | c.CancelTimer | c.StopWaiting | c.CancelChild)
    )
    assert all(count == 1 for count in withdrawn.values())


def _answers_are_to_what_was_asked(played: Played) -> None:
    """Nothing that runs is forgotten, unless cleanup was cut."""
    running: set[str] = set()
    cut = False
    for batch in played.batches():
        running.discard(batch.event.position)
        cut = isinstance(batch.event, e.TimerFired) and batch.event.position == "/~cleanup"
        running.update(
            command.position
            for command in batch.commands
            if isinstance(command, c.RunTask | c.StartChild)
        )
    if played.machine.ended and not cut:
        assert not running
