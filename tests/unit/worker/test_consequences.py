import msgspec

from perdure.link.messages import Ended, NewChild
from perdure.machine import commands as c
from perdure.model.failure import runtime
from perdure.ports.journal import TimerSet
from perdure.worker.consequences import Consequences

NULL = msgspec.Raw(b"null")


def test_nothing_follows_from_nothing() -> None:
    found = Consequences([c.RecordPatch(position="/~patch:x", name="x")])
    assert not found.guarded
    assert found.effects == []
    assert found.end is None


def test_effects_and_open_work() -> None:
    run = c.RunTask(position="/a", name="a", input=NULL)
    evaluate = c.Evaluate(position="/b", expression=".", arguments=NULL)
    cancel = c.CancelTask(position="/c")
    found = Consequences([run, evaluate, cancel])
    assert found.effects == [run, evaluate, cancel]
    assert (found.opened, found.evaluations, found.guarded) == (2, 1, True)


def test_timers_that_are_set_and_cleared_in_one_step_never_are() -> None:
    found = Consequences(
        [
            c.StartTimer(position="/a", due_ms=5),
            c.StartTimer(position="/b", due_ms=6, absolute=True),
            c.CancelTimer(position="/a"),
            c.CancelTimer(position="/earlier"),
        ]
    )
    assert found.timers_set == [TimerSet("/b", 6, True)]
    assert found.timers_cleared == ["/earlier"]


def test_children() -> None:
    found = Consequences(
        [
            c.StartChild(position="/a", workflow_id="w", input=NULL, version="2", wait=False),
            c.CancelChild(position="/b"),
        ]
    )
    assert found.children == [NewChild("/a", "w", "2", b"null", False)]
    assert found.children_cancelled == ["/b"]


def test_ends() -> None:
    failure = runtime("why")
    ends: list[tuple[c.AnyCommand, Ended]] = [
        (c.CompleteExecution(result=NULL), Ended("completed", result=b"null")),
        (c.FailExecution(failure=failure), Ended("failed", failure=failure)),
        (c.CancelExecution(), Ended("cancelled")),
    ]
    for command, ended in ends:
        found = Consequences([command])
        assert found.end == ended
        assert found.guarded


def test_continuing_is_guarded_and_no_end() -> None:
    command = c.ContinueAsNew(input=NULL)
    found = Consequences([command])
    assert found.continues is command
    assert found.guarded
    assert found.end is None
