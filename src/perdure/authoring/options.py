"""Options of decorators, checked where they are written."""

from perdure.model.durations import Duration, milliseconds
from perdure.model.exceptions import DefinitionError


def positive_ms(length: Duration | None, what: str) -> int | None:
    """A length of time in milliseconds, None where there is none.

    Raises DefinitionError, beginning with `what`, for one that is no duration or is zero.
    """
    if length is None:
        return None
    try:
        length_ms = milliseconds(length)
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"{what}: {error}") from None
    if not length_ms:
        raise DefinitionError(f"{what}: it has to be longer than nothing")
    return length_ms
