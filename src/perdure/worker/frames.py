"""What a worker and a task's process of its own say to each other: JSON in frames, over a socket.

A frame is its length (4 bytes, big-endian) and a JSON object.
"""

import socket
from typing import Any

import msgspec

from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.execution import Level
from perdure.model.failure import Failure

LENGTH_BYTES = 4
FRAME_LIMIT_BYTES = VALUE_LIMIT_BYTES + 64 * 1024


NO_FIELDS = msgspec.Raw(b"null")


class Frame(msgspec.Struct, frozen=True, tag=True):
    """Base of all frames."""


class Run(Frame, frozen=True):
    """The task to run; the first frame, and the only one to the process."""

    reference: str
    execution_id: str
    workflow_id: str
    position: str
    name: str
    attempt: int
    input: msgspec.Raw
    path: list[str]


class Line(Frame, frozen=True):
    """Something was logged."""

    timestamp: int
    level: Level
    message: str
    fields: msgspec.Raw = NO_FIELDS


class Completed(Frame, frozen=True):
    """The task returned."""

    output: msgspec.Raw


class Raised(Frame, frozen=True):
    """The task failed."""

    failure: Failure
    retryable: bool
    traceback: str | None = None


class Disagreed(Frame, frozen=True):
    """The recorded input does not fit the task."""

    detail: str


FromProcess = Line | Completed | Raised | Disagreed

_encode = msgspec.json.Encoder().encode
decode_run = msgspec.json.Decoder(Run).decode
decode_from_process: Any = msgspec.json.Decoder(FromProcess).decode


class FrameError(Exception):
    """What came is no frame."""


def send(connection: socket.socket, frame: Frame) -> None:
    """Send a frame; waits until all of it is taken."""
    body = _encode(frame)
    connection.sendall(len(body).to_bytes(LENGTH_BYTES, "big") + body)


def receive(connection: socket.socket) -> bytes:
    """The body of the next frame; empty at the end of the connection."""
    head = connection.recv(LENGTH_BYTES, socket.MSG_WAITALL)
    if len(head) < LENGTH_BYTES:
        return b""
    return connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)


class Unframer:
    """Cuts what comes into frames."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[FromProcess]:
        """The frames that are complete now. Raises FrameError for what is none."""
        received = self._received
        received += data
        frames: list[FromProcess] = []
        start = 0
        while len(received) - start >= LENGTH_BYTES:
            body = start + LENGTH_BYTES
            end = body + int.from_bytes(received[start:body], "big")
            if end - body > FRAME_LIMIT_BYTES:
                raise FrameError(f"a frame of {end - body:,} bytes")
            if len(received) < end:
                break
            try:
                frames.append(decode_from_process(bytes(received[body:end])))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise FrameError(str(error)) from None
            start = end
        del received[:start]
        return frames
