"""`fork`: tasks at the same time, each a branch of the machine with the fork's input.

The output has theirs in declared order. The first error cancels the other branches; once they have
stopped, it is the fork's. Where they `compete`, the first to complete wins, and its output is the
fork's: the others are cancelled and waited for, and errors count only where all fail, which raises
the first one. An ``end`` in a branch cancels the others and ends the workflow with its output.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perdure.machine.branch import Branch, Dropped, Join
from perdure.machine.machine import Machine
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.position import escape
from perdure.openworkflow import types as t
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions.sizes import fit
from perdure.openworkflow.running import BRANCH_LIMIT, END, Definition, Directive, Frame
from perdure.openworkflow.sequences import outward
from perdure.openworkflow.visits import CompiledTask

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


class _Ended(BaseException):
    """A branch has ended the workflow, with this output."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def define(
    task: t.ForkTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The branches, each a task."""
    inside = place.within()
    branches = [
        compiler.task(f"/{index}/{escape(name)}", name, branch, inside, {})
        for index, (name, branch) in enumerate(task.fork.branches)
    ]
    competes = task.fork.compete
    run = _competing if competes else _joining
    outcome = _winner if competes else _outputs

    async def fork(frame: Frame) -> tuple[Any, Directive | None]:
        machine = frame.run.machine
        prefix = f"{frame.position}/fork/branches"
        frame.run.branches += len(branches)
        try:
            return await forked(machine, frame, prefix)
        finally:
            frame.run.branches -= len(branches)

    async def forked(machine: Machine, frame: Frame, prefix: str) -> tuple[Any, Directive | None]:
        if frame.run.branches > BRANCH_LIMIT:
            detail = f"more than {BRANCH_LIMIT:,} branches would run at the same time"
            raise WorkflowError(failures.runtime(detail, title="Too many branches"))
        spawned = [
            machine.spawn(f"{prefix}{branch.segment}", run(branch, frame, prefix))
            for branch in branches
        ]
        join = Join(spawned, stop_on_failure=not competes, stop_on_success=competes)
        try:
            await join
        except (Dropped, GeneratorExit):
            raise
        except BaseException:
            await _stop(machine, spawned)
            raise
        await _stop(machine, spawned)
        return outcome(join, frame.input)

    return fork


async def _competing(task: CompiledTask, frame: Frame, prefix: str) -> tuple[Any, Directive]:
    return await task.run(frame.run, frame.scope, prefix + task.segment, frame.input)


async def _joining(task: CompiledTask, frame: Frame, prefix: str) -> tuple[Any, Directive]:
    output, directive = await _competing(task, frame, prefix)
    if directive == END:
        raise _Ended(output)
    return output, directive


async def _stop(machine: Machine, branches: Sequence[Branch]) -> None:
    """Cancel the branches that are not done, and wait for them, whatever comes meanwhile."""
    for branch in branches:
        machine.cancel(branch)
    interruption: BaseException | None = None
    while not all(branch.done for branch in branches):
        try:
            await Join(branches, stop_on_failure=False)
        except (Dropped, GeneratorExit):
            raise
        except BaseException as raised:
            interruption = raised
    if interruption is not None:
        raise interruption


def _outputs(join: Join, input: Any) -> tuple[Any, Directive | None]:
    if join.first_failed is None:
        outputs = [branch.result[0] for branch in join.branches]
        if not fit(outputs):
            detail = f"the outputs of all branches have more than {VALUE_LIMIT_BYTES:,} bytes"
            raise WorkflowError(failures.expression(detail))
        return outputs, None
    error = join.first_failed.error
    if isinstance(error, _Ended):
        return error.output, END
    assert error is not None
    raise error


def _winner(join: Join, input: Any) -> tuple[Any, Directive | None]:
    """The first one's output; that of a fork without branches is its input."""
    if join.first_completed is not None:
        output, directive = join.first_completed.result
        return output, outward(directive)
    if join.first_failed is None:
        return input, None
    assert join.first_failed.error is not None
    raise join.first_failed.error
