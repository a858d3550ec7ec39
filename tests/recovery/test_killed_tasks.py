"""Tasks of every kind end with their server or worker, and run again under the same key.

Proven with real processes: after a SIGKILL no thread of a task, no process of one, and no process
that such a one has started goes on, and the same attempt begins again, with the same idempotency
key.
"""

import os
from collections import Counter
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.support.records import Attempt
from tests.support.servers import SERVED, server, until_true

POSITIONS = [f"/gather/{index}/{name}" for index, name in enumerate(("linger", "dwell", "toil"))]
POSITIONS.append("/gather/3/delegate")


@pytest.mark.parametrize("victim", ["server", "worker"])
async def test_tasks_end_with_their_process_and_run_again(tmp_path: Path, victim: str) -> None:
    gate = tmp_path / "gate"
    async with server(tmp_path, SERVED / "gated.py") as served:
        execution_id = await served.api.start("gated", gate=str(gate))
        attempts = {Attempt(execution_id, position, 1) for position in POSITIONS}
        await until_true(lambda: set(served.diary.begun()) == attempts, "all tasks run")
        ended = set(served.processes())
        assert len(ended) >= 5, "the server, its worker, two tasks, and what one has started"
        noted = served.diary.size
        if victim == "server":
            await served.kill()
            await served.start()
        else:
            ended.remove(served.pid)
            os.kill(served.workers()[0], SIGKILL)
        await until_true(lambda: set(served.diary.begun(noted)) == attempts, "all run again")
        await until_true(lambda: not ended & set(served.processes()), "the old ones are gone")

        gate.touch()
        whole = await served.api.until_status(execution_id, "completed", "failed")
        assert whole["result"] == [f"{execution_id}:{position}" for position in POSITIONS]
        assert [task["attempt"] for task in await served.api.tasks(execution_id)] == [1] * 4
        counted = Counter(note.attempt for note in served.diary.notes() if note.what == "end")
        assert counted == dict.fromkeys(attempts, 1)
