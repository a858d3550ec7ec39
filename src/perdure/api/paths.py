"""The parts of paths that stand for something: what each means and looks like."""

from collections.abc import Mapping
from typing import Any

from perdure.model.identifiers import EXECUTION_ID, WORKFLOW_ID

PATH_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "workflow_id": {
        "description": "The id of a workflow, as `GET /api/workflows` lists it.",
        "schema": {"type": "string", "pattern": f"^{WORKFLOW_ID}$"},
        "example": "weather",
    },
    "execution_id": {
        "description": "The id of an execution, as its start answered.",
        "schema": {"type": "string", "pattern": f"^{EXECUTION_ID}$"},
        "example": "exec-374bao9rm0000",
    },
    "version": {
        "description": "A version of the workflow; it may have slashes.",
        "schema": {"type": "string", "minLength": 1},
        "example": "1",
    },
    "name": {
        "description": "The name of the event that the workflow waits for; it may have slashes.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": "paid",
    },
}
"""By the names that paths have in `routes.py`; the members are those of OpenAPI's parameters."""
