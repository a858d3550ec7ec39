"""Log records."""

import msgspec

from perdure.model import execution as model
from perdure.wire.times import Time, moment
from perdure.wire.values import Value


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an execution's log. `seq` has no gaps; `fields` is an object or null."""

    seq: int
    timestamp: Time
    level: model.Level
    task: str | None
    message: str
    fields: Value


class LogsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Log records in order, perhaps none; `next_cursor` is null on the last page only."""

    logs: list[LogRecord]
    next_cursor: str | None


def log_record(of: model.LogRecord) -> LogRecord:
    """A log record."""
    return LogRecord(
        seq=of.seq,
        timestamp=moment(of.timestamp),
        level=of.level,
        task=of.task,
        message=of.message,
        fields=of.fields,
    )
