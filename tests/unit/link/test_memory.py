import asyncio
from collections.abc import Sequence
from typing import Any

from perdure.link import messages as m
from perdure.link.memory import pair
from tests.support.virtual_time import run_virtually


class Ears:
    def __init__(self) -> None:
        self.frames: list[list[Any]] = []
        self.reasons: list[str] = []

    def received(self, messages: Sequence[Any]) -> None:
        self.frames.append(list(messages))

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)


async def turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def test_messages_pass_through_their_encoding_frame_by_frame() -> None:
    async def run() -> None:
        at_engine, at_worker = Ears(), Ears()
        to_worker, to_engine = pair(at_engine, at_worker)
        to_worker.send(m.Ping(1))
        to_worker.send(m.Halt("exec-1", 2))
        to_engine.send(m.Released("exec-1", 2, 0, [m.RunningAttempt("/a", 1)]))
        await turns()
        assert at_worker.frames == [[m.Ping(1), m.Halt("exec-1", 2)]]
        assert at_engine.frames == [[m.Released("exec-1", 2, 0, [m.RunningAttempt("/a", 1)])]]

    run_virtually(run())


def test_closing_sends_what_is_left_and_both_hear_of_it_once() -> None:
    async def run() -> None:
        at_engine, at_worker = Ears(), Ears()
        to_worker, to_engine = pair(at_engine, at_worker)
        to_worker.send(m.Ping(1))
        to_worker.close()
        to_engine.close()
        await turns()
        assert at_engine.reasons == ["the connection was closed"]
        assert at_worker.reasons == ["the connection was closed"]

    run_virtually(run())


def test_cut_nothing_more_comes_through() -> None:
    async def run() -> None:
        at_engine, at_worker = Ears(), Ears()
        to_worker, to_engine = pair(at_engine, at_worker)
        to_worker.send(m.Ping(1))
        to_worker.cut("killed")
        to_engine.send(m.Pong(1))
        await turns()
        assert at_worker.frames == at_engine.frames == []
        assert at_worker.reasons == at_engine.reasons == ["killed"]

    run_virtually(run())
