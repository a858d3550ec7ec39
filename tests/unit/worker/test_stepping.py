import asyncio
import sys

import pytest

from perdure.worker.capture import Capture
from perdure.worker.marks import Marks, pack
from perdure.worker.stepping import Stepper
from tests.support.virtual_time import VirtualClock, run_virtually


def test_a_step_sees_no_loop_is_marked_and_leaves_all_as_it_was() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        marks = Marks.create(1)
        capture = Capture(loop, VirtualClock(loop), lambda records: None, lambda: 0)
        stepper = Stepper(marks.slot(0), capture)
        hooks = sys.get_asyncgen_hooks()

        def look(argument: int) -> int:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            assert sys.get_asyncgen_hooks().firstiter is None
            assert [mark.execution_id for mark in marks.read()] == ["exec-1"]
            return argument + 1

        def fail(argument: int) -> int:
            raise KeyError(argument)

        assert stepper.step(pack("exec-1"), None, look, 1) == 2
        with pytest.raises(KeyError):
            stepper.step(pack("exec-1"), None, fail, 1)
        assert asyncio.get_running_loop() is loop
        assert sys.get_asyncgen_hooks() == hooks
        assert marks.read() == []
        marks.close()

    run_virtually(run())
