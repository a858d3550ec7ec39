"""What can be executed: workflows, their versions, and the end of their service."""

import re

import msgspec

from perdure.api import cursors
from perdure.api.queries import VersionsQuery, WorkflowsQuery
from perdure.api.replies import Reply, json_reply, no_content
from perdure.api.requests import Request
from perdure.model.identifiers import WORKFLOW_ID
from perdure.ports.runtime import Offer, RefusedError
from perdure.wire.requests import Nothing
from perdure.wire.times import moment
from perdure.wire.workflows import Versions, WholeWorkflow, Workflow, Workflows

_WORKFLOW_ID = re.compile(WORKFLOW_ID)


def workflow_id(request: Request) -> str:
    """The workflow that the path names; a text that is no id is an unknown workflow."""
    named = request.parameters["workflow_id"]
    if not _WORKFLOW_ID.fullmatch(named):
        raise RefusedError("unknown_workflow", f"no workflow {named[:128]!r} is served")
    return named


async def page(request: Request) -> Reply:
    """The highest version of each workflow by id, and what could not be loaded."""
    query = request.query(WorkflowsQuery)
    belongs_to = f"workflows, {query.retired}"
    after = cursors.start(belongs_to, query.cursor) or ""
    found = request.runtime.offers(after, query.limit + 1, retired=query.retired)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return json_reply(
        200,
        Workflows(
            workflows=[_workflow(each) for each in shown],
            problems=[*request.runtime.health().problems],
            next_cursor=(
                cursors.written(belongs_to, shown[-1].served.workflow_id) if more else None
            ),
        ),
    )


async def show(request: Request) -> Reply:
    """The version that is executed where none is named."""
    return await _shown(request, request.runtime.versions(workflow_id(request))[0])


async def versions(request: Request) -> Reply:
    """The versions of a workflow, the highest first."""
    query = request.query(VersionsQuery)
    named = workflow_id(request)
    belongs_to = f"versions of {named}"
    first = int(cursors.start(belongs_to, query.cursor) or 0)
    end = first + query.limit
    found = request.runtime.versions(named)
    return json_reply(
        200,
        Versions(
            versions=[_workflow(each) for each in found[first:end]],
            next_cursor=cursors.written(belongs_to, str(end)) if len(found) > end else None,
        ),
    )


async def version(request: Request) -> Reply:
    """One version of a workflow."""
    named, wanted = workflow_id(request), request.parameters["version"]
    for offer in request.runtime.versions(named):
        if offer.served.version == wanted:
            return await _shown(request, offer)
    raise RefusedError(
        "unknown_version", f"workflow {named!r} has no version {wanted[:128]!r} that is served"
    )


async def retire(request: Request) -> Reply:
    """Let nobody start it any more, in the versions that there are; repeated, it stays so."""
    await request.body(Nothing)
    await request.runtime.retire(workflow_id(request))
    return no_content()


async def _shown(request: Request, offer: Offer) -> Reply:
    return json_reply(200, whole(offer, await request.runtime.source(offer.served)))


def whole(of: Offer, source: str | None) -> WholeWorkflow:
    """A version with the text of its definition."""
    return WholeWorkflow(**msgspec.structs.asdict(_workflow(of)), source=source)


def _workflow(of: Offer) -> Workflow:
    served = of.served
    return Workflow(
        workflow_id=served.workflow_id,
        version=served.version,
        kind=served.kind,
        title=served.title,
        tags=served.tags,
        digest=served.digest,
        timeout_ms=served.timeout_ms,
        retired_at=moment(of.retired_at),
        input_schema=msgspec.Raw(served.input_schema),
        unsupported=[*served.unsupported],
    )
