"""A channel within one process, for tests and `perdure run`: both ends on one loop.

Messages pass through their encoding all the same, so nothing works here that would not work
between processes. Either end may be cut, as by a crash: nothing more comes through.
"""

import asyncio
from typing import Any, Generic, TypeVar

import msgspec

from perdure.link.channel import Receiver
from perdure.link.messages import ToEngine, ToWorker

In = TypeVar("In")
Out = TypeVar("Out")


class MemoryChannel(Generic[Out]):
    """One end."""

    def __init__(self, decoder: "msgspec.msgpack.Decoder[list[Out]]") -> None:
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()
        self._loop = asyncio.get_running_loop()
        self._outgoing: list[Out] = []
        self._peer: Receiver[Any] | None = None
        self._other: MemoryChannel[Any] | None = None

    def connect(self, peer: Receiver[Any], other: "MemoryChannel[Any]") -> None:
        """Say who hears what is sent here, and which end is the other one."""
        self._peer = peer
        self._other = other

    def send(self, message: Out) -> None:
        """Send a message with the next frame."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(message)

    def close(self) -> None:
        """Send what is left and close."""
        self._flush()
        self.cut("the connection was closed")

    def cut(self, reason: str) -> None:
        """Break the connection: both sides hear it, nothing more comes through."""
        for end in (self, self._other):
            if end is not None and end._peer is not None:
                peer, end._peer = end._peer, None
                self._loop.call_soon(peer.closed, reason)

    def _flush(self) -> None:
        messages, self._outgoing = self._outgoing, []
        if messages and self._peer is not None:
            frame = self._decoder.decode(self._encoder.encode(messages))
            self._loop.call_soon(self._hand_over, frame)

    def _hand_over(self, frame: list[Out]) -> None:
        if self._peer is not None:
            self._peer.received(frame)


def pair(
    engine: Receiver[ToEngine], worker: Receiver[ToWorker]
) -> tuple[MemoryChannel[ToWorker], MemoryChannel[ToEngine]]:
    """The engine's end and the worker's end of a new connection."""
    to_worker: MemoryChannel[ToWorker] = MemoryChannel(msgspec.msgpack.Decoder(list[ToWorker]))
    to_engine: MemoryChannel[ToEngine] = MemoryChannel(msgspec.msgpack.Decoder(list[ToEngine]))
    to_worker.connect(worker, to_engine)
    to_engine.connect(engine, to_worker)
    return to_worker, to_engine
