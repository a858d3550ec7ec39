"""Executions that bring their workers down harm nobody but themselves (promise 8)."""

from pathlib import Path
from typing import Any

from tests.acceptance.executions import OWN, ended, lines, told, until_one_worker
from tests.acceptance.prober import probing
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_dying.py"
DEATHS = 3
WAYS = {
    "exit": "exited with status 1",
    "segfault": "was killed by SIGSEGV",
    "killed": "was killed by SIGKILL",
    "aborts": "was killed by SIGABRT",
}
"""Ways to die, and how they are told."""


async def innocents(api: Api) -> list[str]:
    """Executions with tasks on the loop and in threads, and some that wait."""
    started = [await api.start("innocent", seconds=1.0) for _ in range(5)]
    started += [await api.start("innocent-in-a-thread", seconds=0.7) for _ in range(6)]
    started += [await api.start("innocent-branches", seconds=0.7) for _ in range(3)]
    return started


async def check_innocents(api: Api, started: list[str]) -> None:
    for execution_id in started:
        execution = await ended(api, execution_id, within_s=60.0)
        assert execution["status"] == "completed", execution


def check_crash_loop(execution: dict[str, Any], way: str) -> None:
    assert execution["status"] == "failed", execution
    assert execution["error"]["type"] == OWN + "crash-loop"
    assert f"its worker died {DEATHS} times" in execution["error"]["detail"]
    assert f"its worker {WAYS[way]}: going on in another" in told(execution)


async def test_poison_is_failed_and_nobody_else(tmp_path: Path) -> None:
    """Every way to die, all at once, and more of them than there are quarantines."""
    async with server(tmp_path, MODULE) as its:
        api = its.api
        before = await innocents(api)
        poison = {
            way: await api.start("poison", way=way, trace=str(tmp_path / way)) for way in WAYS
        }
        trace = tmp_path / "thread"
        poison[trace.name] = await api.start("poison-in-a-thread", way="exit", trace=str(trace))
        for after in ("", "300ms"):
            trace = tmp_path / f"code{after}"
            poison[trace.name] = await api.start(
                "poison-in-its-code", way="exit", trace=str(trace), after=after
            )
        async with probing(api, poison["exit"]):
            after_it = await innocents(api)
            for name, execution_id in poison.items():
                execution = await ended(api, execution_id, within_s=60.0)
                check_crash_loop(execution, name if name in WAYS else "exit")
                # A death that may have been another's does not count, so there may be more.
                assert len(lines(tmp_path / name)) >= DEATHS
                task = "" if name.startswith("code") else "/dies"
                assert execution["error"]["instance"].startswith(task)
        await check_innocents(api, before + after_it)
        await until_one_worker(its)


async def test_poison_that_is_alone_runs_three_times(tmp_path: Path) -> None:
    """Not a fourth time, while its failure is being written."""
    async with server(tmp_path, MODULE) as its:
        trace = tmp_path / "task"
        execution_id = await its.api.start("poison", way="exit", trace=str(trace))
        check_crash_loop(await ended(its.api, execution_id), "exit")
        code = tmp_path / "code"
        execution_id = await its.api.start("poison-in-its-code", way="killed", trace=str(code))
        check_crash_loop(await ended(its.api, execution_id), "killed")
        await until_one_worker(its)
        assert len(lines(trace)) == len(lines(code)) == DEATHS


async def test_deaths_that_do_not_count_as_poison(tmp_path: Path) -> None:
    """Who gets on after a death or two completes; who must not be repeated fails at once; and a
    process of its own is nobody else's.
    """
    async with server(tmp_path, MODULE) as its:
        api = its.api
        once = await api.start("dies-once", times=1, trace=str(tmp_path / "once"))
        assert (await ended(api, once))["result"] == 2
        again = await api.start("dies-again-and-again", rounds=2, trace=str(tmp_path / "again"))
        execution = await ended(api, again)
        assert (execution["status"], execution["result"]) == ("completed", 2)

        not_repeated = await api.start("not-repeated", trace=str(tmp_path / "not repeated"))
        execution = await ended(api, not_repeated)
        assert execution["status"] == "failed"
        assert execution["error"]["type"] == OWN + "crashed"
        assert execution["error"]["instance"] == "/dies_and_is_not_repeated"
        assert len(lines(tmp_path / "not repeated")) == 1

        await until_one_worker(its)
        workers = its.workers()
        for way, how in WAYS.items():
            execution = await api.run(
                "poison-in-a-process", way=way, trace=str(tmp_path / f"process {way}")
            )
            assert execution["error"]["title"] == "The task's process died"
            assert how in execution["error"]["detail"]
        assert its.workers() == workers


async def test_poison_out_of_sight(tmp_path: Path) -> None:
    """A thread of the task's own making ends the worker while the task itself only waits: nobody
    can be blamed at first, but it is found out in the end.
    """
    async with server(tmp_path, MODULE) as its:
        api = its.api
        before = [await api.start("innocent", seconds=1.0) for _ in range(3)]
        trace = tmp_path / "trace"
        poison = await api.start("poison-out-of-sight", way="segfault", trace=str(trace))
        execution = await ended(api, poison, within_s=60.0)
        assert execution["error"]["type"] == OWN + "crash-loop"
        assert DEATHS < len(lines(trace)) <= 2 * DEATHS
        await check_innocents(api, before)
        await until_one_worker(its)


async def test_memory(tmp_path: Path) -> None:
    """Who asks for more than there is fails, in large pieces and in small ones; others go on."""
    async with server(tmp_path, SERVED / "hostile_memory.py") as its:
        api = its.api
        before = [await api.start("innocent", seconds=1.0) for _ in range(5)]
        hoards = [
            (await api.start(workflow, piece_bytes=piece_bytes))
            for piece_bytes in (2 * 1024**3, 10_000)
            for workflow in (
                "hoards",
                "hoards-in-a-thread",
                "hoards-in-a-process",
                "hoards-in-its-code",
            )
        ]
        for execution_id in hoards:
            execution = await ended(api, execution_id, within_s=60.0)
            assert execution["status"] == "failed"
            assert execution["error"]["status"] == 500, execution["error"]
        await check_innocents(api, before)
        after = [await api.start("innocent", seconds=0.1) for _ in range(5)]
        await check_innocents(api, after)
