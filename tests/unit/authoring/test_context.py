import pytest

from perdure import TaskContext, UsageError, current_task
from perdure.authoring.context import task_context
from tests.unit.machine.harness import Played


def context(stop: bool = False) -> TaskContext:
    return TaskContext(
        execution_id="exec-1",
        workflow_id="weather",
        position="/observe@1",
        name="observe",
        attempt=2,
        stop_requested=lambda: stop,
    )


def test_a_task_knows_where_it_runs() -> None:
    token = task_context.set(context())
    try:
        running = current_task()
    finally:
        task_context.reset(token)
    assert (running.name, running.attempt) == ("observe", 2)
    assert running.idempotency_key == "exec-1:/observe@1"


@pytest.mark.parametrize("stop", [True, False])
def test_a_task_can_ask_whether_to_stop(stop: bool) -> None:
    assert context(stop).cancel_requested is stop


def test_workflow_code_is_no_task() -> None:
    async def asking() -> str:
        try:
            return current_task().name
        except UsageError:
            return "refused"

    token = task_context.set(context())
    try:
        assert Played(asking).result == "refused"
    finally:
        task_context.reset(token)
