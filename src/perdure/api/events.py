"""Events from outside, for executions that wait for them."""

from perdure.api.executions import with_its_end
from perdure.api.problems import RequestError
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.api.values import checked
from perdure.ports.runtime import Problem, RefusedError
from perdure.wire.replies import EventReceipt
from perdure.wire.requests import SendEvent

LONGEST_NAME = 256


async def send(request: Request) -> Reply:
    """Hand an event to an execution: 202 the first time, 200 if its id came before."""
    name = request.parameters["name"]
    if not 1 <= len(name) <= LONGEST_NAME:
        raise RequestError(
            "invalid_request",
            "the name of the event is not valid",
            errors=[Problem("{name}", f"has to have 1 to {LONGEST_NAME} characters")],
        )
    execution_id = request.execution_id
    body = await request.body(SendEvent)
    data = checked(body.data, "/data")
    try:
        fresh = await request.runtime.send_event(execution_id, name, data, body.id)
    except RefusedError as refusal:
        raise await with_its_end(request, refusal) from None
    receipt = EventReceipt(execution_id=execution_id, name=name, id=body.id, duplicate=not fresh)
    return json_reply(202 if fresh else 200, receipt)
