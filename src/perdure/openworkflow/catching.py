"""Which errors a `catch` is for, and what expressions see of them."""

from typing import Any

from perdure.model.failure import Failure
from perdure.openworkflow.error_types import canonical
from perdure.openworkflow.types import ErrorFilter


class ErrorMatcher:
    """A filter of errors: those whose properties equal the ones that are set; all without one."""

    __slots__ = ("_status", "_texts", "_type")

    def __init__(self, wanted: ErrorFilter | None) -> None:
        self._type: str | None = None
        self._status: int | None = None
        self._texts: tuple[tuple[str, str], ...] = ()
        if wanted is not None:
            self._type = canonical(wanted.type) if wanted.type is not None else None
            self._status = wanted.status
            texts = {
                "instance": wanted.instance,
                "title": wanted.title,
                "detail": wanted.detail,
            }
            self._texts = tuple((k, text) for k, text in texts.items() if text is not None)

    def matches(self, failure: Failure) -> bool:
        """Whether an error is one of them."""
        if self._type is not None and canonical(failure.type) != self._type:
            return False
        if self._status is not None and failure.status != self._status:
            return False
        return all(getattr(failure, name) == text for name, text in self._texts)


def described(failure: Failure) -> dict[str, Any]:
    """An error as expressions see it: `title` and `detail` only where it has them."""
    error: dict[str, Any] = {"type": failure.type, "status": failure.status}
    if failure.title:
        error["title"] = failure.title
    if failure.detail:
        error["detail"] = failure.detail
    error["instance"] = failure.instance
    return error
