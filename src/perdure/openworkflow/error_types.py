"""Types of errors: which ones mean the same.

The specification's standard types moved from one host to another, its own texts write them under
more than one path, and others still send the old ones. So URIs of either host, whatever the path
before ``errors``, are the same where they name the same standard type.
"""

import re

STANDARD_NAMES = frozenset(
    {
        "authentication",
        "authorization",
        "communication",
        "configuration",
        "expression",
        "runtime",
        "timeout",
        "validation",
    }
)
_STANDARD = re.compile(
    r"(?:https?://(?:www\.)?(?:open-workflow-specification\.org|serverlessworkflow\.io))?"
    r"(?:/[\w.-]+)*/errors(?:/types)?/(?P<name>\w+)/?"
)


def canonical(type_: str) -> str:
    """What two types have in common that mean the same: the name of a standard one, else itself."""
    match = _STANDARD.fullmatch(type_)
    if match is not None and match["name"] in STANDARD_NAMES:
        return match["name"]
    return type_
