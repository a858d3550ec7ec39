"""Errors of documents: those that tasks raise, and those of documents themselves."""

from perdure.model.exceptions import DefinitionError, FailedError


class WorkflowError(FailedError):
    """An error of a running document, which `try` can catch; `failure` has its properties."""


class ExpressionError(DefinitionError):
    """An expression that does not compile, or uses what it cannot have where it stands."""
