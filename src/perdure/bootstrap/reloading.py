"""Has edits take effect while the server serves, and says so at the terminal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from perdure.engine.trials import Reloaded

Edited = Collection[Path]

PATIENCE_S = 5.0
"""How long code may take to load once it has been edited again."""
NAMED = 5
"""Edited files that are named."""


class Reloading:
    """Reloads after each edit, one reload at a time.

    What is edited while a reload is under way is reloaded after it. `changes` are the edited files,
    some at a time; `tell` takes what is said at the terminal.
    """

    def __init__(
        self,
        changes: AsyncIterator[Edited],
        reload: Callable[[], Awaitable[Reloaded]],
        tell: Callable[[str], None],
    ) -> None:
        self._changes = changes
        self._reload = reload
        self._tell = tell

    async def run(self) -> None:
        """Reload until there are no changes any more, or until cancelled."""
        coming = self._next()
        changed: set[Path] = set()
        try:
            while True:
                edited = await coming
                if edited is None:
                    return
                changed.update(edited)
                coming = self._next()
                while not await self._tried(changed, coming):
                    changed.update(coming.result() or ())
                    coming = self._next()
                changed.clear()
        except (OSError, RuntimeError) as error:  # as watchfiles raises them
            self._tell(f"edits are not taken up any more: {error}")
        finally:
            coming.cancel()

    def _next(self) -> "asyncio.Future[Edited | None]":
        async def following() -> Edited | None:
            return await anext(self._changes, None)

        return asyncio.ensure_future(following())

    async def _tried(self, changed: Edited, coming: "asyncio.Future[Edited | None]") -> bool:
        """Reload; False if it was given up, since it hangs and more edits have come."""
        trial = asyncio.ensure_future(self._reload())
        try:
            await _first(trial, coming)
            if not trial.done():
                await asyncio.wait([trial], timeout=PATIENCE_S)
            if not trial.done():
                return False
        finally:
            if trial.cancel():
                await asyncio.wait([trial])
        self._tell(told(trial.result(), changed))
        return True


async def _first(*futures: "asyncio.Future[Any]") -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def told(reloaded: Reloaded, changed: Iterable[Path]) -> str:
    """A reload in one line, and each problem below it."""
    names = sorted({path.name for path in changed})
    files = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        files += f" and {len(names) - NAMED} more"
    if not reloaded.taken:
        first = f"not reloaded after an edit of {files}: what was served before goes on"
    else:
        news = [
            f"{what}{workflow_id} {version}"
            for what, workflows in (
                ("", reloaded.changed),
                ("new: ", reloaded.new),
                ("gone: ", reloaded.gone),
            )
            for workflow_id, version in workflows
        ]
        first = f"reloaded after an edit of {files}" + (f": {', '.join(news)}" if news else "")
    return "\n".join([first, *(_problem(each.path, each.detail) for each in reloaded.problems)])


def _problem(path: str, detail: str) -> str:
    first, *more = detail.rstrip().splitlines() or [""]
    where = "" if not path or path in first else f"{path}: "
    return "\n".join([f"  {where}{first}", *(f"  {line}" for line in more)])
