"""Downloads: how many are open, how they are compressed, and what they hold."""

import gzip
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from perdure.engine.downloads import AT_ONCE, Downloads
from perdure.ports.logs import LogFile, LogParts
from perdure.ports.runtime import Download, RefusedError

T = TypeVar("T")
FILE = LogFile()


class Parts(LogParts):
    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    def next(self) -> bytes | None:
        return self._parts.pop(0) if self._parts else None


class OneLog:
    """Of the port it has what a download needs."""

    def __init__(self, *parts: bytes) -> None:
        self.parts_of_it = parts
        self.broken = False

    def parts(self, execution_id: str, file: LogFile) -> LogParts:
        if self.broken:
            raise OSError("it cannot be read")
        return Parts(*self.parts_of_it)


async def at_once(read: Callable[..., T], *arguments: Any) -> T:
    return read(*arguments)


def reader(read: Callable[..., T], *arguments: Any) -> Awaitable[T]:
    return at_once(read, *arguments)


def downloads_of(log: OneLog) -> Downloads:
    logs: Any = log
    return Downloads(logs, reader)


async def whole(download: Download) -> bytes:
    found = b""
    while (part := await download.part()) is not None:
        found += part
    assert await download.part() is None
    return found


async def test_parts_follow_each_other() -> None:
    downloads = downloads_of(OneLog(b"one\n", b"", b"two\n"))
    assert await whole(await downloads.open("exec", FILE, gzip=False)) == b"one\ntwo\n"


@pytest.mark.parametrize("parts", [(), (b"",), (b"one\n", b"", b"two\n"), (b"x" * 10**6,) * 3])
async def test_compressed_they_are_one_stream(parts: tuple[bytes, ...]) -> None:
    downloads = downloads_of(OneLog(*parts))
    compressed = await whole(await downloads.open("exec", FILE, gzip=True))
    assert gzip.decompress(compressed) == b"".join(parts)


async def test_so_many_may_be_open() -> None:
    downloads = downloads_of(OneLog())
    opened = [await downloads.open("exec", FILE, gzip=False) for _ in range(AT_ONCE)]
    with pytest.raises(RefusedError) as refused:
        await downloads.open("exec", FILE, gzip=False)
    assert refused.value.code == "overloaded"
    assert refused.value.retry_after_s
    for _ in range(2):
        opened[0].close()
    again = await downloads.open("exec", FILE, gzip=False)
    with pytest.raises(RefusedError):
        await downloads.open("exec", FILE, gzip=False)
    for download in (*opened, again):
        download.close()
    assert downloads.open_now == 0


async def test_one_that_cannot_be_opened_takes_no_place() -> None:
    log = OneLog()
    downloads = downloads_of(log)
    log.broken = True
    with pytest.raises(OSError, match="it cannot be read"):
        await downloads.open("exec", FILE, gzip=False)
    assert downloads.open_now == 0
