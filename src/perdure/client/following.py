"""An execution followed to its end: its status, what it does, and its log, as they come.

There is no stream: the status is asked for with `Prefer: wait`, so that its end is known at once,
and after each answer the log is read on from the cursor of the last full page.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from perdure.wire.executions import Whole
from perdure.wire.logs import LogRecord, LogsPage

LOOK_EVERY_S = 1.0
"""How often the log is looked at while the status stays as it is."""
WAIT_S = 30.0
"""How long one request waits for a change of the status: less than proxies cut off at."""
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_CATCHING_UP = 1000
_KEEPING_UP = 100

Look = Callable[[float], Awaitable[Whole]]
"""Asks for an execution, which the server answers at its next change or after so many seconds."""
ReadLog = Callable[[str | None, int], Awaitable[LogsPage]]
"""Reads a page of the log: after a cursor, so many records."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An execution as it is now, without its log, and the log records that are new."""

    execution: Whole
    logs: Sequence[LogRecord]


async def until_ended(look: Look) -> Whole:
    """Look until it has ended.

    A server that does not wait, and answers at once that nothing has changed, is asked again after
    growing pauses.
    """
    clock = asyncio.get_running_loop().time
    seen = await look(0)
    pause_s = _FIRST_PAUSE_S
    while not seen.status.ended:
        asked_s = clock()
        now = await look(WAIT_S)
        if now.status is seen.status:
            await asyncio.sleep(asked_s + pause_s - clock())
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        else:
            pause_s = _FIRST_PAUSE_S
        seen = now
    return seen


async def followed(look: Look, read_log: ReadLog) -> AsyncIterator[Seen]:
    """What is new, now and every second, until it has ended and all of its log was seen."""
    clock = asyncio.get_running_loop().time
    log = _Log(read_log)
    execution = await look(0)
    while True:
        # The log is read after the status: that of an ended execution is complete.
        async for records in log.new():
            yield Seen(execution=execution, logs=records)
        if execution.status.ended:
            return
        asked_s = clock()
        before = execution.status
        execution = await look(LOOK_EVERY_S)
        if execution.status is before:
            await asyncio.sleep(asked_s + LOOK_EVERY_S - clock())


class _Log:
    """How far the log was read."""

    def __init__(self, read: ReadLog) -> None:
        self._read = read
        self._cursor: str | None = None
        self._last_seq = -1
        self._page = _CATCHING_UP

    async def new(self) -> AsyncIterator[Sequence[LogRecord]]:
        """The records that have come since, at least one list, which may be empty."""
        while True:
            page = await self._read(self._cursor, self._page)
            records = [each for each in page.logs if each.seq > self._last_seq]
            if records:
                self._last_seq = records[-1].seq
            if page.next_cursor is None:
                self._page = _KEEPING_UP
                yield records
                return
            self._cursor = page.next_cursor
            if records:
                yield records
