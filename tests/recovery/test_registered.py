"""A registration that was acknowledged is there, through SIGKILL of the server at any moment.

Proven with real processes: clients register documents and execute them at once, while the server
is killed again and again. Of several that register a version with different contents one gets in,
and it stays the one.
"""

import asyncio
import random
from collections.abc import Sized
from pathlib import Path

import httpx

from tests.support.registered import YAML, greeting
from tests.support.servers import Api, server, until_true

KILLS = 8
CLIENTS = 4
WORDS = ("Hello", "Hi", "Ho")
_NOT_NOW = {"not_ready", "shutting_down", "overloaded"}


async def test_what_was_registered_stays_while_the_server_is_killed(tmp_path: Path) -> None:
    taken: dict[str, str] = {}
    stopping = asyncio.Event()

    async def keep_registering(api: Api, client: int) -> None:
        number = 0
        while not stopping.is_set():
            name = f"greeting-{client}-{number}"
            answers = await asyncio.gather(*(insist(api, name, word) for word in WORDS))
            [word] = [word for word, got_in in zip(WORDS, answers, strict=True) if got_in]
            taken[name] = word
            number += 1

    async with server(tmp_path, start=False) as served:
        async with asyncio.TaskGroup() as clients:
            for client in range(CLIENTS):
                clients.create_task(keep_registering(served.api, client))
            for number in range(KILLS):
                await served.start()
                if number % 2:
                    await asyncio.sleep(random.uniform(0.0, 0.3))
                else:
                    await another_is_in(taken)
                await served.kill()
            await served.start()
            stopping.set()
        assert len(taken) > KILLS / 2
        for name, word in taken.items():
            shown = (await served.api.http.get(f"/api/workflows/{name}")).json()
            assert shown["source"] == greeting(name, word=word)
        for name in list(taken)[-5:]:
            ended = await served.api.run(name, name="Ada")
            assert ended["result"] == {"greeting": f"{taken[name]}, Ada"}


async def another_is_in(taken: Sized) -> None:
    """Wait until it has more than it has now."""
    before = len(taken)
    await until_true(lambda: len(taken) > before, "one more is registered")


async def insist(api: Api, name: str, word: str) -> bool:
    """Register until there is an answer; whether it got in, and no other content did."""
    while True:
        try:
            content = greeting(name, word=word)
            answer = await api.http.post("/api/workflows", content=content, headers=YAML)
        except httpx.TransportError:
            await asyncio.sleep(0.02)
            continue
        if answer.status_code in (200, 201):
            return True
        code = answer.json()["code"]
        if code == "version_conflict":
            return False
        assert code in _NOT_NOW, answer.text
        await asyncio.sleep(0.02)
