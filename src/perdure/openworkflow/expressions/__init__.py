"""Runtime expressions of documents: jq 1.8, compiled once, with the arguments of their site.

Invariants:
- What is compiled stood in a document. Nothing that is evaluated makes an expression of data.
- No expression reads the clock, the environment, files or the machine's zone: the same value and
  arguments give the same result, so that a replay needs no record of it.
- In this process runs only what is proven to end soon; the rest is asked for by the command
  `Evaluate`, which is recorded.
"""

from perdure.openworkflow.expressions.expression import Expression, compile
from perdure.openworkflow.expressions.template import (
    Template,
    always_expression,
    is_expression,
    template,
    truthy,
)

__all__ = [
    "Expression",
    "Template",
    "always_expression",
    "compile",
    "is_expression",
    "template",
    "truthy",
]
