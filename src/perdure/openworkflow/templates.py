"""URIs in documents: a URI template over the input's properties, or an expression."""

from typing import TYPE_CHECKING, Any

from perdure.model import failure as failures
from perdure.openworkflow import uri_templates
from perdure.openworkflow.binding import Bound
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import is_expression, sites
from perdure.openworkflow.running import Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


class Uri:
    """A URI that is made for each visit. What an expression results in is no template."""

    __slots__ = ("_expression", "_literal", "_template")

    def __init__(self, text: str, compiler: "Compiler", place: "Place") -> None:
        self._expression: Bound | None = None
        self._template: uri_templates.UriTemplate | None = None
        self._literal = text
        if is_template(text):
            self._template = uri_templates.parse(text)
        elif is_expression(text):
            self._expression = compiler.expression(text, sites.TASK_DEFINITION, place)

    async def evaluate(self, frame: Frame, value: Any) -> str:
        """The URI for `value`. Raises WorkflowError (expression)."""
        if self._template is not None:
            return self._template.expand(value)
        if self._expression is None:
            return self._literal
        result = await self._expression.evaluate(frame, value)
        if not isinstance(result, str):
            raise WorkflowError(failures.expression("the URI has to be a string"))
        return result


def is_template(text: str) -> bool:
    """Whether a URI is a template with names in it, rather than an expression or as it stands."""
    return "{" in text and not is_expression(text)
