import asyncio
import gc
import weakref
from functools import partial

from perdure.worker.deadlines import Deadlines
from tests.support.virtual_time import run_virtually


def test_what_is_due_is_called_in_order() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop)
        called: list[tuple[str, float]] = []

        def note(name: str) -> None:
            called.append((name, loop.time()))

        for name, seconds in (("b", 2.0), ("a", 1.0), ("c", 3.0), ("never", 2.5)):
            deadline = deadlines.after(seconds, partial(note, name))
            if name == "never":
                deadlines.drop(deadline)
                deadlines.drop(deadline)
        assert len(deadlines) == 3
        await asyncio.sleep(10)
        assert called == [("a", 1.0), ("b", 2.0), ("c", 3.0)]
        assert len(deadlines) == 0

    run_virtually(run())


def test_what_fails_does_not_keep_the_rest_from_being_called() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        reported: list[object] = []
        loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))
        deadlines = Deadlines(loop)
        called: list[int] = []
        deadlines.after(1.0, lambda: called.append(1 // 0))
        deadlines.after(2.0, lambda: called.append(2))
        await asyncio.sleep(5)
        assert called == [2]
        assert len(reported) == 1

    run_virtually(run())


class Thing:
    def act(self) -> None:
        raise AssertionError


def test_what_is_taken_back_is_let_go_and_does_not_pile_up() -> None:
    async def run() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        things = [Thing() for _ in range(10_000)]
        references = [weakref.ref(thing) for thing in things]
        for thing in things:
            deadlines.drop(deadlines.after(30.0, partial(Thing.act, thing)))
        assert len(deadlines) == 0
        assert len(deadlines._heap) < 600
        things.clear()
        del thing
        gc.collect()
        assert not any(reference() for reference in references)

    run_virtually(run())
