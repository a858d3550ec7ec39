"""Messages over a stream socket, however the bytes are cut."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.link import messages as m
from perdure.link import socket as link_socket
from perdure.link.socket import SocketChannel, engine_end, worker_end
from tests.support.eventually import eventually
from tests.support.virtual_time import run_virtually

DECODER = msgspec.msgpack.Decoder(list[m.ToWorker])


class Ears:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.frames: list[list[Any]] = []
        self.reasons: list[str] = []

    def received(self, messages: Sequence[Any]) -> None:
        self.frames.append(list(messages))

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)

    @property
    def messages(self) -> list[Any]:
        return [message for frame in self.frames for message in frame]

    async def hear(self, count: int) -> None:
        await eventually(lambda: len(self.messages) >= count)


class DeadTransport(asyncio.Transport):
    """A transport that takes note of being aborted."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return 0


@asynccontextmanager
async def ends() -> AsyncIterator[
    tuple[SocketChannel[Any, m.ToWorker], Ears, SocketChannel[Any, m.ToEngine], Ears]
]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    at_engine, at_worker = Ears(), Ears()
    engine = await engine_end(ours, at_engine)
    worker = await worker_end(theirs, at_worker)
    yield engine, at_engine, worker, at_worker
    engine.close()
    worker.close()
    await eventually(lambda: at_engine.reasons and at_worker.reasons)


def frame_of(*messages: m.ToWorker) -> bytes:
    body = msgspec.msgpack.encode(messages)
    return len(body).to_bytes(4, "big") + body


@given(st.lists(st.integers(0, 2**40), max_size=30), st.lists(st.integers(1, 40), min_size=1))
def test_frames_arrive_however_they_are_cut(numbers: list[int], cuts: list[int]) -> None:
    async def run() -> None:
        ears = Ears()
        channel: SocketChannel[Any, Any] = SocketChannel(DECODER, ears)
        channel.connection_made(DeadTransport())
        stream = b"".join(
            frame_of(*map(m.Ping, numbers[start : start + 3]))
            for start in range(0, len(numbers), 3)
        )
        position = cut = 0
        while position < len(stream):
            size = cuts[cut % len(cuts)]
            channel.data_received(stream[position : position + size])
            position, cut = position + size, cut + 1
        assert ears.messages == [m.Ping(number) for number in numbers]
        assert ears.reasons == []

    run_virtually(run())


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00\x00\x00\x03abc",
        b"\x00\x00\x00\x02\x91\xc1",
        b"\xff\xff\xff\xff",
        frame_of(m.Ping(1))[:-1] + b"\xc1",
    ],
)
async def test_damage_closes_the_connection_once(damage: bytes) -> None:
    ears = Ears()
    channel: SocketChannel[Any, Any] = SocketChannel(DECODER, ears)
    transport = DeadTransport()
    channel.connection_made(transport)
    channel.data_received(damage)
    channel.connection_lost(None)
    assert transport.aborted
    assert len(ears.reasons) == 1
    assert ears.messages == []


async def test_messages_of_one_turn_are_one_frame() -> None:
    async with ends() as (engine, _, worker, at_worker):
        engine.send(m.Ping(1))
        engine.send(m.Drain())
        await at_worker.hear(2)
        engine.send(m.Stop(5))
        await at_worker.hear(3)
        assert at_worker.frames == [[m.Ping(1), m.Drain()], [m.Stop(5)]]
        assert worker.unsent_bytes == 0


async def test_large_messages_are_split_over_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_socket, "_FRAME_TARGET_BYTES", 10_000)
    async with ends() as (_, at_engine, worker, _):
        sent = [
            m.Outcomes("exec-1", 1, 0, [m.Unrecorded(bytes([number]) * 4_000, [])])
            for number in range(20)
        ]
        for message in sent:
            worker.send(message)
        await at_engine.hear(20)
        assert at_engine.messages == sent
        assert len(at_engine.frames) > 5


async def test_what_was_sent_before_closing_arrives() -> None:
    async with ends() as (_, at_engine, worker, at_worker):
        for number in range(500):
            worker.send(m.Pong(number))
        worker.close()
        worker.send(m.Pong(500))
        await at_engine.hear(500)
        await eventually(lambda: at_engine.reasons)
        assert len(at_engine.messages) == 500
        assert at_worker.reasons == ["the connection was closed"]


async def test_what_the_other_side_does_not_read_is_known() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    worker = await worker_end(theirs, Ears())
    assert worker.unsent_bytes == 0
    worker.send(m.Outcomes("exec-1", 1, 0, [m.Unrecorded(b"x" * 4_000_000)]))
    await asyncio.sleep(0)
    assert worker.unsent_bytes > 1_000_000
    ours.close()
    worker.close()
    await asyncio.sleep(0.01)
