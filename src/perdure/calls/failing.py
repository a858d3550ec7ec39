"""How calls fail: the specification's standard errors, and which status each of them has.

communication: the status of an answer that is an error; 503 where nothing answers; 502 where
what answers cannot be used; 504 where it is too slow. validation (400): what cannot be sent.
authorization (403): where calls may not go.
"""

import os
from http import HTTPStatus

import httpcore

from perdure.calls.egress import SETTING
from perdure.calls.network import RefusedAddressError, UnresolvedError
from perdure.calls.pool import NoFreeConnectionError
from perdure.model import failure as failures
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure

BAD_ANSWER = 502
NO_ANSWER = 503
SLOW_ANSWER = 504

_LONGEST_REASON = 200
_SHOWN_BODY = 500


class UnusableAnswerError(Exception):
    """An answer that cannot be used; the text says why."""


def not_sendable(problem: str) -> FailedError:
    """The request cannot be sent as it is."""
    return FailedError(failures.validation(problem, "The request cannot be sent"))


def answered(status: int, what: str, text: str) -> Failure:
    """An answer whose status is an error; `what` was asked, `text` is the begin of its body."""
    phrase = phrase_of(status)
    detail = f"{what} answered {status} {phrase}".rstrip()
    shown = text.strip()
    if len(shown) > _SHOWN_BODY:
        shown = f"{shown[:_SHOWN_BODY]} …"
    if shown:
        detail = f"{detail}: {shown}"
    return failures.communication(detail, status, phrase or "The answer is an error")


def phrase_of(status: int) -> str:
    """What a status is called; empty for one that has no name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def failure_of(error: Exception, what: str, where: str) -> Failure:
    """The failure for what kept `what` from getting an answer from `where`.

    `error` is one of httpcore's, or of this package.
    """
    if isinstance(error, RefusedAddressError):
        address = "" if error.address in where else f" resolves to {error.address}, which"
        return failures.authorization(
            f"{what} was refused: {where}{address} is {error.reason}; to let calls go there, "
            f"name the host or its network in {SETTING}",
            "Calls may not go there",
        )
    if isinstance(error, UnresolvedError):
        return _no_answer(NO_ANSWER, f"{what}: {where} cannot be resolved: {error}")
    if isinstance(error, UnusableAnswerError):
        return _bad_answer(f"{what}: {error}")
    if isinstance(error, NoFreeConnectionError):
        return _no_answer(NO_ANSWER, f"{what}: all connections of the worker are in use")
    if isinstance(error, httpcore.TimeoutException):
        return _no_answer(SLOW_ANSWER, f"{what}: {_slow(error, where)}")
    tls = _tls_problem(error)
    if tls is not None:
        return _bad_answer(f"{what}: TLS with {where} fails: {tls}")
    if isinstance(error, httpcore.ConnectError):
        return _no_answer(NO_ANSWER, f"{what}: no connection to {where}: {_reason(error)}")
    return _bad_answer(f"{what}: {_reason(error)}")


def too_slow(what: str, limit_s: float) -> Failure:
    """All of it took too long."""
    return _no_answer(SLOW_ANSWER, f"{what}: the answer was not complete after {limit_s:g} s")


def _slow(error: httpcore.TimeoutException, where: str) -> str:
    if isinstance(error, httpcore.ConnectTimeout):
        return f"no connection to {where} in time"
    if isinstance(error, httpcore.WriteTimeout):
        return f"{where} does not take the request"
    return f"{where} has gone silent"


def _no_answer(status: int, detail: str) -> Failure:
    return failures.communication(detail, status, "No answer")


def _bad_answer(detail: str) -> Failure:
    return failures.communication(detail, BAD_ANSWER, "The answer cannot be used")


def _tls_problem(error: BaseException) -> str | None:
    """What OpenSSL says, where it is the reason."""
    for cause in _causes(error):
        verify_message = getattr(cause, "verify_message", None)
        if isinstance(verify_message, str):
            return verify_message
        reason = getattr(cause, "reason", None)
        if getattr(cause, "library", None) is not None and isinstance(reason, str):
            return reason.lower().replace("_", " ")
    return None


def _reason(error: BaseException) -> str:
    """The innermost reason, in words."""
    for cause in reversed(_causes(error)):
        known = isinstance(cause, OSError) and cause.errno
        text = os.strerror(known) if known else str(cause)
        if text:
            return text[:_LONGEST_REASON]
    return "the connection broke off"


def _causes(error: BaseException) -> list[BaseException]:
    """An error of httpcore and what it was made of; its pool hides that with ``from None``."""
    causes = [error]
    while len(causes) < 10:
        cause = causes[-1].__cause__ or causes[-1].__context__
        if cause is None:
            break
        causes.append(cause)
    return causes
