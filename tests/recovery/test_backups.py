"""A copy of a data folder that is in use, made as docs/how-to/production.md says, is whole.

Proven with a real server under the load of concurrent clients: a second server on the copy brings
every execution that it has to its end, result and log.
"""

import asyncio
import sys
from pathlib import Path

from tests.support.load import Clients, assert_as_expected, until_all_end
from tests.support.markdown import DOCS, blocks
from tests.support.servers import SERVED, Server, server, until


async def test_a_copy_of_a_folder_in_use_goes_on_where_it_was_made(tmp_path: Path) -> None:
    program, copied = tmp_path / "backup.py", tmp_path / "copied"
    [block] = [each for each in blocks(DOCS / "how-to" / "production.md") if each.title]
    program.write_text(block.text, encoding="utf-8")
    (tmp_path / "original").mkdir()
    copied.mkdir()
    async with server(tmp_path / "original", SERVED / "load.py") as original:
        clients = Clients(original.api)
        async with clients.running():
            await until(lambda: some_have_ended(original), "some executions have ended")
            command = (sys.executable, program, original.data, copied / "data")
            copying = await asyncio.create_subprocess_exec(*command)
            assert await copying.wait() == 0
        assert not clients.faults, clients.faults[:5]
        await original.kill()
    async with server(copied, SERVED / "load.py") as second:
        for head in await second.api.executions():
            if head["status"] == "paused":
                await second.api.control(head["execution_id"], "resume")
        nobody = Clients(second.api)
        await until_all_end(second.api, nobody)
        await assert_as_expected(second.api, nobody)
        assert await second.api.executions()


async def some_have_ended(served: Server) -> bool:
    return sum(head["completed_at"] is not None for head in await served.api.executions()) > 20
