"""The persisted error: what the journal keeps of an exception (RFC 9457; dsl-reference, Error).

A failure is data. The exception that workflow code catches for it is in `exceptions`.
"""

import msgspec

from perdure.model.text import readable

STANDARD = "https://open-workflow-specification.org/spec/1.0.0/errors/"
"""Base of the specification's standard error types."""
OWN = "urn:perdure:error:"
"""Base of what only a durable engine can run into."""

LONGEST_DETAIL = 16_000
LONGEST_TITLE = 1_000


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it is recorded and shown.

    `type` is a URI that says which kind, `status` a code in the manner of HTTP, `title` the kind
    in words, `detail` what happened this time, `instance` the position without counts.
    """

    type: str
    status: int
    title: str
    detail: str = ""
    instance: str = ""

    def at(self, instance: str) -> "Failure":
        """This failure, placed at `instance` unless it has a place already."""
        return self if self.instance else msgspec.structs.replace(self, instance=instance)

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title


def recordable(failure: Failure) -> Failure:
    """A failure that user code has made, as it can be recorded: texts as texts, bounded."""
    made = Failure(
        type=_bounded(_text(failure.type), LONGEST_TITLE),
        status=failure.status if _is_status(failure.status) else 500,
        title=_bounded(_text(failure.title), LONGEST_TITLE),
        detail=_bounded(_text(failure.detail)),
        instance=_bounded(_text(failure.instance), LONGEST_TITLE),
    )
    return failure if made == failure else made


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000


def _bounded(text: str, longest: int = LONGEST_DETAIL) -> str:
    if len(text) <= longest:
        return readable(text)
    return readable(f"{text[:longest]} … ({len(text) - longest} more characters)")


def configuration(detail: str, title: str = "Configuration error") -> Failure:
    """Something is set up wrongly."""
    return Failure(type=STANDARD + "configuration", status=400, title=title, detail=detail)


def validation(detail: str, title: str = "Validation failed") -> Failure:
    """Data does not have the shape that was declared."""
    return Failure(type=STANDARD + "validation", status=400, title=title, detail=_bounded(detail))


def expression(detail: str, title: str = "Expression failed") -> Failure:
    """An expression could not be evaluated."""
    return Failure(type=STANDARD + "expression", status=400, title=title, detail=_bounded(detail))


def authentication(detail: str, title: str = "Authentication failed") -> Failure:
    """Credentials are not what they have to be."""
    return Failure(
        type=STANDARD + "authentication", status=401, title=title, detail=_bounded(detail)
    )


def authorization(detail: str, title: str = "Not authorized") -> Failure:
    """Something may not be done, or a secret is not there."""
    return Failure(
        type=STANDARD + "authorization", status=403, title=title, detail=_bounded(detail)
    )


def communication(detail: str, status: int, title: str) -> Failure:
    """Something outside did not answer, or with an error."""
    return Failure(
        type=STANDARD + "communication", status=status, title=title, detail=_bounded(detail)
    )


def timeout(detail: str, title: str = "Timed out") -> Failure:
    """Something took longer than it may."""
    return Failure(type=STANDARD + "timeout", status=408, title=title, detail=detail)


def runtime(detail: str, title: str = "Runtime error") -> Failure:
    """Code raised what nothing caught."""
    return Failure(type=STANDARD + "runtime", status=500, title=title, detail=_bounded(detail))


def disagreement(detail: str, instance: str) -> Failure:
    """A replay asked for something else than the record has (promise 4)."""
    return Failure(
        type=OWN + "disagreement",
        status=409,
        title="The code does not fit the record",
        detail=_bounded(detail),
        instance=instance,
    )


def unserved(detail: str) -> Failure:
    """Nobody serves the version that an execution is pinned to."""
    return Failure(
        type=OWN + "unserved", status=503, title="The workflow is not served", detail=detail
    )


def crashed(detail: str) -> Failure:
    """A task with ``on_crash="fail"`` was in flight when its process died."""
    return Failure(type=OWN + "crashed", status=500, title="Interrupted by a crash", detail=detail)


def crash_loop(detail: str) -> Failure:
    """An execution brought its worker down again and again (promise 8)."""
    return Failure(
        type=OWN + "crash-loop", status=500, title="Crashed its worker repeatedly", detail=detail
    )


def journal_limit(detail: str) -> Failure:
    """The journal of a generation is full."""
    return Failure(
        type=OWN + "journal-limit", status=507, title="The journal is full", detail=detail
    )


def cancelled(detail: str = "") -> Failure:
    """A child that was awaited ended as cancelled."""
    return Failure(type=OWN + "cancelled", status=499, title="Cancelled", detail=detail)
