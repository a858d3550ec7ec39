"""Registering documents of the Open Workflow Specification, and checking them."""

from urllib.parse import quote

from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.api.workflows import whole
from perdure.wire.workflows import DocumentProblem, Validity


async def register(request: Request) -> Reply:
    """Register a document, which can be executed from then on.

    201 where it is new, 200 where the same was registered before. A version of a workflow never
    changes: with other content it is refused. Every problem of a document is told at once.
    """
    registered = await request.runtime.register(await request.document())
    served = registered.offer.served
    version = quote(served.version, safe="")
    location = f"/api/workflows/{served.workflow_id}/versions/{version}"
    return json_reply(
        201 if registered.created else 200,
        whole(registered.offer, registered.source),
        [(b"location", location.encode())],
    )


async def validate(request: Request) -> Reply:
    """Tell every problem of a document, in its order; nothing is registered."""
    found = await request.runtime.validate(await request.document())
    problems = [
        DocumentProblem(
            location=each.location, line=each.line, column=each.column, message=each.message
        )
        for each in found
    ]
    return json_reply(200, Validity(valid=not problems, problems=problems))
