"""SIGKILL of the whole server, at any moment and again and again, loses and repeats nothing.

Proven with real processes, under the load of concurrent clients: what was acknowledged ends as it
should (promise 1), a recorded attempt never begins again (promise 2), an end never changes
(promise 3), logs have no gaps and lose no line of a recorded task, and no process outlives the
server that started it.
"""

import asyncio
import random
from pathlib import Path

from tests.support.load import Clients, Witness, assert_as_expected, until_all_end
from tests.support.servers import SERVED, server

KILLS = 21
"""Two of three hit a server at work, the third one that starts."""


async def test_killing_the_server_again_and_again(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py", start=False) as served:
        clients = Clients(served.api)
        witness = Witness(served)
        async with clients.running():
            for number in range(KILLS):
                served.launch()
                if number % 3 < 2:
                    await served.until_ready()
                    await asyncio.sleep(random.uniform(0.0, 0.4))
                else:
                    await asyncio.sleep(random.uniform(0.0, 1.2))
                await served.kill()
                witness.look()
            await served.start()
        await until_all_end(served.api, clients)
        witness.look()
        await assert_as_expected(served.api, clients)
        assert len(clients.acknowledged) > KILLS
        begun = served.diary.begun()
        assert len(begun) > len(set(begun)), "not one kill has hit a task"
        assert await served.stop() == 0
        witness.look()
