"""SIGTERM and Ctrl-C end a server in order: what runs is finished, and nothing is done twice.

Proven with real processes: attempts that run get the shutdown grace and are recorded, starts are
refused meanwhile, the exit code is 0, and the next server goes on where this one stopped. What
does not end within the grace runs again under the same key.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Sized
from functools import partial
from pathlib import Path

import pytest

from tests.support.load import Clients, Witness, assert_as_expected, until_all_end
from tests.support.records import Attempt, Records
from tests.support.servers import SERVED, Server, server, until, until_true

RESULTS = {
    "lingering": "lingered and finished",
    "dwelling": "dwelt and finished",
    "commissioning": "commissioned and finished",
    "toiling": "toiled and finished",
}
FIRST_TASK = {
    "lingering": "/linger",
    "dwelling": "/dwell",
    "commissioning": "/commission",
    "toiling": "/toil",
}
Stop = Callable[[Server], None]


def press_ctrl_c(served: Server) -> None:
    """What a terminal does: every process of the group gets the signal."""
    os.killpg(served.pid, signal.SIGINT)


def terminate(served: Server) -> None:
    """What an init system does."""
    served.send(signal.SIGTERM)


@pytest.mark.parametrize("stop", [terminate, press_ctrl_c])
async def test_tasks_that_run_are_finished_and_recorded(tmp_path: Path, stop: Stop) -> None:
    async with server(tmp_path, SERVED / "slow.py") as served:
        started = {await served.api.start(name, seconds=1.0): name for name in RESULTS}
        asleep = await served.api.start("sleeping", length="1500ms")
        await until_true(lambda: len(served.diary.begun()) == len(started), "all tasks run")
        stop(served)

        async def refused() -> bool:
            response = await served.api.execute("lingering", seconds=0.0)
            if response.status_code == 202:  # the signal was not there yet
                started[response.json()["execution_id"]] = "lingering"
            return response.status_code == 503

        assert await until(refused, "starts are refused", poll_s=0.005)
        response = await served.api.execute("lingering", seconds=0.0)
        assert response.status_code == 503
        assert response.json()["code"] == "shutting_down"
        assert int(response.headers["retry-after"]) > 0
        assert await served.exit_code() == 0
        await served.until_gone()

        in_flight = {Attempt(key, FIRST_TASK[name], 1) for key, name in started.items()}
        records = Records(served.data)
        recorded = set(records.outcomes())
        records.close()
        assert recorded >= in_flight & set(served.diary.begun())

        await served.start()
        for execution_id, name in started.items():
            whole = await served.api.until_status(execution_id, "completed", "failed")
            assert whole["result"] == RESULTS[name]
        whole = await served.api.until_status(asleep, "completed")
        assert whole["result"] == "slept and finished"
        assert set(Counter(served.diary.begun()).values()) == {1}, "something was begun twice"
        assert await served.stop() == 0


async def test_what_does_not_end_within_the_grace_runs_again(tmp_path: Path) -> None:
    environ = {"PERDURE_SHUTDOWN_GRACE": "200ms"}
    async with server(tmp_path, SERVED / "slow.py", environ=environ) as served:
        started = {await served.api.start(name, seconds=1.0): name for name in RESULTS}
        await until_true(lambda: len(served.diary.begun()) == len(started), "all tasks run")
        first = set(served.diary.begun())
        assert await served.stop() == 0
        until = served.diary.size
        assert not [note for note in served.diary.notes() if note.what == "end"]
        await served.start()
        for execution_id, name in started.items():
            whole = await served.api.until_status(execution_id, "completed", "failed")
            assert whole["result"] == RESULTS[name]
        assert first <= set(served.diary.begun(until)), "the same key, the same attempt"


async def test_stopping_in_order_under_load_repeats_nothing(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py", start=False) as served:
        clients = Clients(served.api)
        witness = Witness(served)
        async with clients.running():
            for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                await served.start()
                before = len(clients.acknowledged)
                await until_true(partial(has_grown, clients.acknowledged, before + 60), "load")
                assert await served.stop(stop) == 0
                witness.look()
            await served.start()
        await until_all_end(served.api, clients)
        witness.look()
        await assert_as_expected(served.api, clients)
        assert set(Counter(served.diary.begun()).values()) == {1}, "something was begun twice"


def has_grown(collection: Sized, length: int) -> bool:
    """Whether it has this many elements by now."""
    return len(collection) >= length
