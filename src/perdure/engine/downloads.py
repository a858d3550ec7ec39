"""Logs as files, part by part, for as many clients at once as do not get in the way of others.

A part is read, and compressed, in a thread that is then free again: what a client leaves waiting
is one part and a place in the log. Threads for parts are apart from those of other reads.
"""

import zlib

from perdure.engine.state import Reader
from perdure.ports.logs import LogFile, LogParts, Logs
from perdure.ports.runtime import Download, RefusedError

AT_ONCE = 16
"""Downloads that may be open."""
RETRY_AFTER_S = 5
GZIP_LEVEL = 3
"""Of a log like that of `make bench` it leaves 7.1 %, at 410 MB/s; level 1 leaves 8.2 % at 450,
level 6 leaves 6.1 % at 220."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Downloads:
    """Opens downloads, and counts those that are open."""

    def __init__(self, logs: Logs, read: Reader) -> None:
        self._logs = logs
        self._read = read
        self.open_now = 0

    async def open(self, execution_id: str, file: LogFile, *, gzip: bool) -> Download:
        """Open one; it ends with the last line that is there now.

        Raises RefusedError, overloaded, where AT_ONCE are open.
        """
        if self.open_now >= AT_ONCE:
            raise RefusedError(
                "overloaded",
                f"{AT_ONCE} downloads are under way, and that is the limit",
                retry_after_s=RETRY_AFTER_S,
            )
        self.open_now += 1
        try:
            parts = await self._read(self._logs.parts, execution_id, file)
        except BaseException:
            self.open_now -= 1
            raise
        return OpenDownload(self, self._read, _Compressed(parts) if gzip else parts)

    def closed(self) -> None:
        """One was closed."""
        self.open_now -= 1


class OpenDownload(Download):
    """One download, from its opening to its closing."""

    def __init__(self, downloads: Downloads, read: Reader, parts: LogParts) -> None:
        self._downloads = downloads
        self._read = read
        self._parts = parts
        self._closed = False

    async def part(self) -> bytes | None:
        return await self._read(self._parts.next)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._downloads.closed()


class _Compressed(LogParts):
    """Parts as one gzip stream (RFC 1952)."""

    def __init__(self, parts: LogParts) -> None:
        self._parts = parts
        self._deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        self._ended = False

    def next(self) -> bytes | None:
        """The next part, which may be empty; None after the last."""
        if self._ended:
            return None
        part = self._parts.next()
        if part is not None:
            return self._deflate.compress(part)
        self._ended = True
        return self._deflate.flush()
