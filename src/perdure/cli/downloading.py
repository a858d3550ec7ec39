"""A log downloaded into a file, with what has arrived shown at a terminal."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from perdure.client import Client


async def download(
    client: "Client", execution_id: str, output: str, format: Any, filters: dict[str, Any]
) -> None:
    """Download the log into a file; - is stdout.

    The file has its name once it is complete; a download that breaks off leaves nothing.
    """
    async with client.download_logs(execution_id, format, **filters) as pieces:
        if output == "-":
            async for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        with _complete(output) as file:
            await _written(pieces, file, output)


@contextmanager
def _complete(output: str) -> Iterator[BinaryIO]:
    """A file that gets its name when the block ends well, and else is gone."""
    unnamed = Path(f"{output}.part")
    try:
        with unnamed.open("wb") as file:
            yield file
        unnamed.replace(output)
    finally:
        unnamed.unlink(missing_ok=True)


async def _written(pieces: AsyncIterator[bytes], file: BinaryIO, named: str) -> None:
    from rich.progress import (
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TransferSpeedColumn,
    )

    from perdure.cli import people

    console = people.console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
    with Progress(
        *columns,
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        shown = progress.add_task(named, total=None)
        async for piece in pieces:
            file.write(piece)
            progress.advance(shown, len(piece))
