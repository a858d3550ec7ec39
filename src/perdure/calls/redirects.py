"""What is sent where a redirect leads (RFC 9110, section 15.4; Fetch, HTTP-redirect fetch).

What is confidential stays with the origin that it was given for.
"""

from perdure.calls.failing import UnusableAnswerError
from perdure.calls.masking import Mask
from perdure.calls.outgoing import Outgoing
from perdure.model.exceptions import FailedError

_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie"})
_OF_BODY = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-type",
        "idempotency-key",
    }
)


def redirected(sent: Outgoing, status: int, location: str | None, mask: Mask) -> Outgoing | None:
    """The request that follows; None where an answer of that status leads nowhere.

    Raises UnusableAnswerError where it leads to what cannot be called.
    """
    if status not in _FOLLOWED or location is None:
        return None
    try:
        target = sent.target.joined(location)
    except FailedError as error:
        raise UnusableAnswerError(f"the redirect cannot be followed: {error}") from None
    method, body, headers = sent.method, sent.body, dict(sent.headers)
    becomes_get = method == "POST" if status in (301, 302) else method not in ("GET", "HEAD")
    if status < 307 and becomes_get:
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name not in _OF_BODY}
    if target.origin != sent.target.origin:
        if body is not None and mask.finds_in(body.decode(errors="replace")):
            raise UnusableAnswerError(
                f"the redirect to {target.host} is not followed: the body holds what is "
                f"confidential, and was meant for {sent.target.host}"
            )
        headers = {
            name: value
            for name, value in headers.items()
            if name not in _CREDENTIALS and not mask.finds_in(value)
        }
    return Outgoing(method, target, headers, body)
