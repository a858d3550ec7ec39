"""Documents as a client sees them: registered, executed, ended."""

from typing import Any

import httpx
import yaml

from tests.support.servers import Api


async def register(api: Api, document: str) -> httpx.Response:
    """`POST /api/workflows` with YAML, whatever it answers."""
    return await api.http.post(
        "/api/workflows", content=document, headers={"Content-Type": "application/yaml"}
    )


def workflow_id(document: str) -> str:
    """Under which id a document is executed."""
    header = yaml.safe_load(document)["document"]
    namespace, name = header["namespace"], header["name"]
    return name if namespace == "default" else f"{namespace}.{name}"


def names_version(document: str) -> tuple[str, str]:
    """Which version of which workflow a document is."""
    return workflow_id(document), str(yaml.safe_load(document)["document"]["version"])


def traced(document: str) -> str:
    """A copy of a document whose output is the names of its outermost tasks, as they ran.

    What a document computes is not recorded task by task; but each task can export. Raises
    ValueError for a document that exports, or transforms its output, itself.
    """
    tree: dict[str, Any] = yaml.safe_load(document)
    if "output" in tree:
        raise ValueError("it transforms its output: it cannot be traced")
    for item in tree["do"]:
        for name, task in item.items():
            if "export" in task:
                raise ValueError(f"{name} exports: it cannot be traced")
            task["export"] = {"as": f'{{ran: (($context.ran? // []) + ["{name}"])}}'}
    tree["output"] = {"as": "$context.ran"}
    tree["document"]["name"] += "-traced"
    return yaml.safe_dump(tree, sort_keys=False)
