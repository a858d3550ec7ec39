"""An execution followed to its end, for people and for programs, and the exit code of that end."""

from typing import TYPE_CHECKING

from perdure.cli.codes import CANCELLED, FAILED
from perdure.cli.connecting import LONG_PATIENCE
from perdure.cli.mistakes import tell
from perdure.cli.printing import write_json

if TYPE_CHECKING:
    from rich.console import Console

    from perdure.client import Client, Seen, Whole


async def follow(client: "Client", execution_id: str, console: "Console | None") -> "Whole":
    """Show an execution on the console until it has ended; without one, as JSON on stdout.

    Lines of JSON have a member `event`: `status` and `tasks` with the execution's head and what
    it does at that time, each where it has changed; `log` with a `record`; at last `ended` with
    all of the `execution`, but for its log. Ctrl-C stops the following, not the execution.
    """
    import asyncio

    try:
        if console is None:
            return await _as_json(client, execution_id)
        return await _for_people(client, execution_id, console)
    except asyncio.CancelledError:
        tell(
            f"stopped following {execution_id}, which goes on: "
            f"perdure executions follow {execution_id}, or cancel"
        )
        raise


def exit_code(execution: "Whole") -> int:
    """The exit code of an end."""
    from perdure.model.status import Status

    return {Status.FAILED: FAILED, Status.CANCELLED: CANCELLED}.get(execution.status, 0)


async def _for_people(client: "Client", execution_id: str, console: "Console") -> "Whole":
    from perdure.cli import decoded
    from perdure.cli.progress import Progress

    progress = Progress(console)
    with progress.showing():
        async for seen in client.follow(execution_id):
            client.keep_trying_for(LONG_PATIENCE)
            execution = decoded.execution(seen.execution)
            progress.status(execution)
            for record in seen.logs:
                progress.log(decoded.log_record(record))
            progress.tasks(execution)
    progress.ended(execution)
    return seen.execution


async def _as_json(client: "Client", execution_id: str) -> "Whole":
    before: Seen | None = None
    async for seen in client.follow(execution_id):
        client.keep_trying_for(LONG_PATIENCE)
        now, then = seen.execution, None if before is None else before.execution
        if then is None or now.status is not then.status:
            write_json({"event": "status", **_head(now)})
        for record in seen.logs:
            write_json({"event": "log", "record": record})
        doing = (now.current_tasks, now.waiting_for)
        if then is None or doing != (then.current_tasks, then.waiting_for):
            tasks = {"current_tasks": now.current_tasks, "waiting_for": now.waiting_for}
            write_json({"event": "tasks", **tasks})
        before = seen
    write_json({"event": "ended", "execution": seen.execution})
    return seen.execution


def _head(execution: "Whole") -> dict[str, object]:
    return {"execution_id": execution.execution_id, "status": execution.status}
