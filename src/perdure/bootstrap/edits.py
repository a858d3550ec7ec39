"""Edits of what is at served paths, code and documents, as they are saved."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from perdure.bootstrap.document_files import is_document_name, looks_like_one

log = logging.getLogger(__name__)

PYTHON = ".py"
FOLDERS = 1_000
"""Folders that are watched at most, the nearest to the paths first."""

_NEVER_IMPORTED = frozenset({"__pycache__", "node_modules"})
_GATHER_MS = 300
"""Edits are reported when none has come for _QUIET_MS, or at the latest after this."""
_QUIET_MS = 50
_SETTLED_MS = 1_000
"""After so long without an edit it is looked once more whether all folders are watched."""


async def edits(paths: Sequence[Path]) -> AsyncIterator[Collection[Path]]:
    """The files that were added, changed or deleted, some at a time, without an end.

    Looked at are the served folders, those of the served files, and all below them that can be
    imported. Raises OSError where the system cannot watch so much.
    """
    folders = await asyncio.to_thread(watched, paths)
    if len(folders) == FOLDERS:
        log.warning("edits are watched in the nearest %d folders alone", FOLDERS)
    while True:
        watching = awatch(
            *folders,
            watch_filter=_concerns,
            debounce=_GATHER_MS,
            step=_QUIET_MS,
            recursive=False,
            ignore_permission_denied=True,
            rust_timeout=_SETTLED_MS,
            yield_on_timeout=True,
        )
        # What appeared after the folders were listed and before they were watched told nobody.
        looked = False
        try:
            async with aclosing(watching):
                async for found in watching:
                    if found:
                        yield {Path(path) for _, path in found}
                    elif looked:
                        continue
                    looked = True
                    there = await asyncio.to_thread(watched, paths)
                    # One that was put in the place of another has to be watched anew, too.
                    added = {Path(path) for change, path in found if change is Change.added}
                    if there != folders or not added.isdisjoint(folders):
                        folders = there
                        break
        except FileNotFoundError as error:  # a folder has gone since it was looked for
            await asyncio.sleep(_GATHER_MS / 1000)
            yield {Path(error.filename or folders[0])}
            folders = await asyncio.to_thread(watched, paths)


def watched(paths: Iterable[Path]) -> list[Path]:
    """The folders in which edits may concern what the paths serve.

    Of subfolders those that Python can import from: neither hidden ones nor virtual environments,
    nor what has a name that is no identifier, such as the data folder.
    """
    found = dict.fromkeys(_folder(path.resolve()) for path in paths)
    ahead = list(found)
    while ahead and len(found) < FOLDERS:
        for folder in _importable_in(ahead.pop(0)):
            if folder not in found and len(found) < FOLDERS:
                found[folder] = None
                ahead.append(folder)
    return list(found)


def _folder(path: Path) -> Path:
    """The folder at or above a path, which may be gone."""
    while not path.is_dir():
        path = path.parent
    return path


def _importable_in(folder: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(folder.iterdir()) if _is_importable(entry)]
    except OSError:
        return []


def _is_importable(folder: Path) -> bool:
    return (
        folder.name.isidentifier()
        and folder.name not in _NEVER_IMPORTED
        and folder.is_dir()
        and not folder.is_symlink()
        and not (folder / "pyvenv.cfg").exists()
    )


def _concerns(change: Change, path: str) -> bool:
    """Whether a change is one of code. What is added may be a folder with code in it."""
    changed = Path(path)
    if changed.name.startswith("."):
        return False
    if changed.suffix == PYTHON:
        return True
    if is_document_name(changed):
        # What a task writes there concerns nobody. One that is gone may have been a document.
        return change is Change.deleted or looks_like_one(changed)
    return change is Change.added and _is_importable(changed)
