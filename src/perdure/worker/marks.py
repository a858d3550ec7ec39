"""Marks in shared memory: which user code is on the CPU of a worker now (promise 8).

The server reads them after a worker's death, or while its loop hangs. There is one slot per place
where user code runs: slot 0 is the loop, the others are threads. A mark is written in one go, and
carries a checksum over its text, so a read that meets a write half done, or a writer that died
in it, is recognised: such a slot reads as empty. Deadlines are on CLOCK_MONOTONIC, which is the
same for all processes of a machine.
"""

import mmap
import os
import struct
import tempfile
from zlib import crc32

import msgspec

SLOT_BYTES = 1024
LOOP_SLOT = 0
DEFAULT_SLOTS = 128

_HEADER = struct.Struct("<II")  # length of the body, its checksum
_BODY = struct.Struct("<dIHH")  # deadline, attempt, lengths of execution id and position
_LONGEST_BODY = SLOT_BYTES - _HEADER.size
_LONGEST_ID = 128
_READS = 8

EMPTY = bytes(4)
"""What is written over a slot's first bytes to empty it."""
EMPTIED = slice(0, 4)
"""Where it is written."""


class Mark(msgspec.Struct, frozen=True):
    """User code on the CPU: an attempt, or a step of the execution's program (no position).

    `deadline` is when the attempt has to be over, in seconds on the monotonic clock; 0 for never.
    A position too long for its slot is cut.
    """

    execution_id: str
    position: str
    attempt: int
    deadline: float


def pack(execution_id: str, position: str = "", attempt: int = 0, deadline: float = 0.0) -> bytes:
    """A mark as it is written into a slot."""
    identity = execution_id.encode()[:_LONGEST_ID]
    where = position.encode()[: _LONGEST_BODY - _BODY.size - len(identity)]
    body = _BODY.pack(deadline, attempt, len(identity), len(where)) + identity + where
    return _HEADER.pack(len(body), crc32(body)) + body


class Slot:
    """One place for a mark. The hot path writes to `memory` itself."""

    __slots__ = ("memory",)

    def __init__(self, memory: memoryview) -> None:
        self.memory = memory

    def set(self, packed: bytes) -> None:
        """Mark what `pack` made as running here."""
        self.memory[: len(packed)] = packed

    def clear(self) -> None:
        """Nothing runs here any more."""
        self.memory[EMPTIED] = EMPTY


class Marks:
    """The marks of one worker. `fd` is the shared memory, to be passed on."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        size = os.fstat(fd).st_size
        self.slots = size // SLOT_BYTES
        self._memory = memoryview(mmap.mmap(fd, size))

    @classmethod
    def create(cls, slots: int = DEFAULT_SLOTS) -> "Marks":
        """New shared memory."""
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("perdure-marks")
        else:
            with tempfile.TemporaryFile() as file:
                fd = os.dup(file.fileno())
        os.ftruncate(fd, slots * SLOT_BYTES)
        return cls(fd)

    @classmethod
    def attach(cls, fd: int) -> "Marks":
        """The shared memory that another process created."""
        return cls(fd)

    def slot(self, number: int) -> Slot:
        """A slot, to write to."""
        return Slot(self._memory[number * SLOT_BYTES : (number + 1) * SLOT_BYTES])

    def read(self) -> list[Mark]:
        """What is marked now, the loop's mark first."""
        marks = (self._read(number * SLOT_BYTES) for number in range(self.slots))
        return [mark for mark in marks if mark is not None]

    def close(self) -> None:
        """Let go of the file; the mapping goes with the object."""
        os.close(self.fd)

    def _read(self, start: int) -> Mark | None:
        for _ in range(_READS):
            slot = bytes(self._memory[start : start + SLOT_BYTES])
            length, checksum = _HEADER.unpack_from(slot)
            if not length:
                return None
            body = slot[_HEADER.size : _HEADER.size + length]
            if len(body) == length and crc32(body) == checksum:
                return _unpacked(body)
        return None


def _unpacked(body: bytes) -> Mark:
    deadline, attempt, id_length, position_length = _BODY.unpack_from(body)
    id_end = _BODY.size + id_length
    return Mark(
        execution_id=body[_BODY.size : id_end].decode(),
        position=body[id_end : id_end + position_length].decode(errors="ignore"),
        attempt=attempt,
        deadline=deadline,
    )
