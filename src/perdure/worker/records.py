"""Log records as they are kept: made from those of the logging module, bounded."""

import asyncio
import concurrent.futures
import logging
import threading
import traceback
from pathlib import Path
from typing import Any

import msgspec

from perdure.model.execution import Level
from perdure.model.text import readable
from perdure.ports.logs import TASK_LINE, NewLogRecord

LONGEST_MESSAGE = 64 * 1024
LONGEST_FIELDS = 64 * 1024
LONGEST_TRACEBACK = 16 * 1024

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__)
_COMPUTED = frozenset({"message", "asctime", "taskName"})
_OUTSIDE = (
    str(Path(__file__).parent.parent),
    str(Path(asyncio.__file__).parent),
    str(Path(concurrent.futures.__file__).parent),
    threading.__file__,
)
"""Where code lies that only drives user code: not shown in tracebacks."""


def shown(value: object) -> str:
    """A value as Python shows it, or its type's name where that fails."""
    try:
        return readable(value if isinstance(value, str) else repr(value))
    except BaseException:  # of user code, which may raise anything
        return f"<{type(value).__qualname__}>"


_encode = msgspec.json.Encoder(enc_hook=shown).encode


def made_from(
    record: logging.LogRecord,
    execution_id: str,
    timestamp: int,
    task: str | None,
    batch: int = TASK_LINE,
    position: str | None = None,
) -> NewLogRecord:
    """A record of the logging module as one of an execution; never fails."""
    try:
        message = record.getMessage()
    except Exception:  # arguments that do not fit their text: the line is worth more
        message = f"{shown(record.msg)} {shown(record.args)}"
    return NewLogRecord(
        execution_id,
        timestamp,
        level_of(record.levelno),
        task,
        bounded(message),
        fields_of(record),
        batch,
        position,
    )


def level_of(number: int) -> Level:
    """The level in the three that the log knows."""
    if number >= logging.ERROR:
        return "ERROR"
    return "WARNING" if number >= logging.WARNING else "INFO"


def bounded(message: str, limit: int = LONGEST_MESSAGE) -> str:
    """A message as it can be kept: cut where it is too long."""
    if len(message) <= limit:
        return readable(message)
    return readable(f"{message[:limit]} … ({len(message) - limit:,} more characters)")


def fields_of(record: logging.LogRecord) -> bytes | None:
    """What came by `extra=`, and the traceback of `exc_info=`, as a JSON object."""
    has_traceback = bool(record.exc_info and record.exc_info[0])
    if len(record.__dict__) == len(_STANDARD) and not has_traceback and not record.stack_info:
        return None
    fields: dict[str, Any] = {
        name: value
        for name, value in record.__dict__.items()
        if name not in _STANDARD and name not in _COMPUTED
    }
    if record.exc_info and record.exc_info[1] is not None:
        fields["traceback"] = traceback_of(record.exc_info[1])
    if record.stack_info:
        fields["stack"] = bounded(record.stack_info, LONGEST_TRACEBACK)
    return encoded_fields(fields) if fields else None


def encoded_fields(fields: dict[str, Any]) -> bytes:
    """Fields as JSON: what has none is shown as Python shows it, what is too much is named."""
    try:
        encoded = _encode(fields)
    except Exception:
        encoded = _encode({name: shown(value) for name, value in fields.items()})
    if len(encoded) <= LONGEST_FIELDS:
        return encoded
    return _encode({"dropped": f"{len(encoded):,} bytes of fields"})


def traceback_of(error: BaseException) -> str | None:
    """The traceback of user code: without the frames of perdure and asyncio that drove it.

    None where it cannot be had: texts of exceptions are user code, and chains may be long.
    """
    try:
        return _traceback_of(error)
    except BaseException:
        return None


def _traceback_of(error: BaseException) -> str:
    shown = traceback.TracebackException.from_exception(error)
    _forget_outside(shown, set())
    text = readable("".join(shown.format()))
    if len(text) <= LONGEST_TRACEBACK:
        return text
    quarter = LONGEST_TRACEBACK // 4
    return f"{text[:quarter]}\n  […]\n{text[-3 * quarter :]}"


def _forget_outside(shown: traceback.TracebackException, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    ours = [frame for frame in shown.stack if not _is_outside(frame.filename)]
    if ours:
        shown.stack = traceback.StackSummary.from_list(ours)
    for other in (shown.__cause__, shown.__context__, *(shown.exceptions or ())):
        if other is not None:
            _forget_outside(other, seen)


def _is_outside(filename: str) -> bool:
    return filename.startswith(_OUTSIDE)
