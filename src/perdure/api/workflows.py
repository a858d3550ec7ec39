"""What can be executed."""

import msgspec

from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.ports.runtime import Served
from perdure.wire.workflows import Workflow, Workflows


async def listed(request: Request) -> Reply:
    """Every workflow version that can be executed, and what could not be loaded."""
    runtime = request.runtime
    return json_reply(
        200,
        Workflows(
            workflows=[_workflow(each) for each in runtime.workflows()],
            problems=[*runtime.health().problems],
        ),
    )


def _workflow(of: Served) -> Workflow:
    return Workflow(
        workflow_id=of.workflow_id,
        version=of.version,
        kind=of.kind,
        title=of.title,
        tags=of.tags,
        digest=of.digest,
        timeout_ms=of.timeout_ms,
        input_schema=msgspec.Raw(of.input_schema),
    )
