"""A channel over a stream socket, between processes.

A frame is its length (4 bytes, big-endian) and a MessagePack array of messages. A frame over
FRAME_LIMIT_BYTES, or one that does not decode, closes the connection: both ends are ours, so it
is damage, and going on would be guessing.
"""

import asyncio
import socket
from typing import Any, Generic, TypeVar, cast

import msgspec

from perdure.link.channel import Receiver
from perdure.link.messages import ToEngine, ToWorker

FRAME_LIMIT_BYTES = 512 * 1024 * 1024
FRAME_MESSAGES = 32
"""So many are sent at once, so that the other side begins with them while more are made."""
_LENGTH_BYTES = 4
_FRAME_TARGET_BYTES = 4 * 1024 * 1024

In = TypeVar("In")
Out = TypeVar("Out")


class SocketChannel(asyncio.Protocol, Generic[In, Out]):
    """One end of a connection."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[list[In]], receiver: Receiver[In]) -> None:
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[Out] = []
        self._incoming = bytearray()
        self._closed = False

    def send(self, message: Out) -> None:
        """Send a message with the next frame."""
        if not self._outgoing:
            self._loop.call_soon(self.flush)
        self._outgoing.append(message)
        if len(self._outgoing) == FRAME_MESSAGES:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting, now."""
        messages, self._outgoing = self._outgoing, []
        if messages and self._transport is not None and not self._closed:
            self._write(messages)

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the other side to read."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def close(self) -> None:
        """Send what is left and close."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def _write(self, messages: list[Out]) -> None:
        assert self._transport is not None
        body = self._encoder.encode(messages)
        if len(body) > _FRAME_TARGET_BYTES and len(messages) > 1:
            half = len(messages) // 2
            self._write(messages[:half])
            self._write(messages[half:])
            return
        self._transport.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)

    # -- asyncio.Protocol -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's transports have the methods, and are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came: hand on every whole frame."""
        incoming = self._incoming
        incoming += data
        start = 0
        while len(incoming) - start >= _LENGTH_BYTES:
            length = int.from_bytes(incoming[start : start + _LENGTH_BYTES], "big")
            end = start + _LENGTH_BYTES + length
            if length > FRAME_LIMIT_BYTES:
                self._abort(f"a frame of {length} bytes")
                return
            if len(incoming) < end:
                break
            try:
                messages = self._decoder.decode(bytes(incoming[start + _LENGTH_BYTES : end]))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._abort(f"a frame that does not decode: {error}")
                return
            start = end
            self._receiver.received(messages)
        if start:
            del incoming[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if not self._closed:
            self._closed = True
            self._receiver.closed(str(exc) if exc else "the connection was closed")

    def _abort(self, reason: str) -> None:
        assert self._transport is not None
        self._transport.abort()
        if not self._closed:
            self._closed = True
            self._receiver.closed(reason)


async def engine_end(
    connection: socket.socket, receiver: Receiver[ToEngine]
) -> SocketChannel[Any, ToWorker]:
    """The engine's end of a connected stream socket."""
    loop = asyncio.get_running_loop()
    decoder = msgspec.msgpack.Decoder(list[ToEngine])
    _, channel = await loop.create_connection(
        lambda: SocketChannel[Any, ToWorker](decoder, receiver), sock=connection
    )
    return channel


async def worker_end(
    connection: socket.socket, receiver: Receiver[ToWorker]
) -> SocketChannel[Any, ToEngine]:
    """The worker's end of a connected stream socket."""
    loop = asyncio.get_running_loop()
    decoder = msgspec.msgpack.Decoder(list[ToWorker])
    _, channel = await loop.create_connection(
        lambda: SocketChannel[Any, ToEngine](decoder, receiver), sock=connection
    )
    return channel
