"""Whether the process answers, and whether it takes work. Neither needs a token."""

from perdure.api.problems import RequestError
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.wire.replies import Alive, Ready


async def alive(request: Request) -> Reply:
    """The process answers; this says nothing about the engine."""
    return json_reply(200, Alive())


async def ready(request: Request) -> Reply:
    """Whether an execution would be started now; if not, why."""
    health = request.runtime.health()
    if not health.ready:
        why = "; ".join(health.problems) or "the engine is starting or stopping"
        raise RequestError("not_ready", why)
    return json_reply(200, Ready())
