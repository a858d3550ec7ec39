"""What the log promises (docs/journal.md, section 11). The subject's quota is `QUOTA_BYTES`."""

from collections.abc import Sequence

import msgspec

from perdure.model.execution import Level, LogRecord
from perdure.ports.journal import Nothing
from perdure.ports.logs import STORY, TASK_LINE, LogFile, LogQuery, NewLogRecord
from tests.unit.ports.subject import CREATED, Suite

QUOTA_BYTES = 10_000


def line(id: str, message: str, *, batch: int = TASK_LINE, level: Level = "INFO") -> NewLogRecord:
    return NewLogRecord(id, CREATED, level, "observe", message, None, batch)


class LogsSuite(Suite):
    def write(self, *records: NewLogRecord) -> None:
        """Write lines, and wait until they are on disk."""
        ticket = self.subject.logs.write(records)
        told: list[object] = []
        self.journal.submit(Nothing(), told.append, after_logs=ticket)
        self.subject.settle(lambda: bool(told))

    def messages(self, id: str) -> list[str]:
        return [record.message for record in self.lines(id)]

    def lines(self, id: str) -> Sequence[LogRecord]:
        page = self.subject.logs.page(id, LogQuery())
        assert page.next_after is None
        return page.records

    def test_a_line_is_kept_whole(self) -> None:
        id = self.new_id()
        self.write(
            NewLogRecord(id, CREATED, "WARNING", "observe", "wet\n☔", b'{"mm":3}', 4),
            NewLogRecord(id, CREATED + 1, "ERROR", None, ""),
        )
        first, second = self.lines(id)
        assert first == LogRecord(
            seq=1,
            timestamp=CREATED,
            level="WARNING",
            task="observe",
            message="wet\n☔",
            fields=msgspec.Raw(b'{"mm":3}'),
        )
        assert (second.seq, second.level, second.task) == (2, "ERROR", None)
        assert (second.message, second.fields) == ("", None)

    def test_lines_are_numbered_without_gaps_for_each_execution(self) -> None:
        one, other = self.new_id(), self.new_id()
        self.write(line(one, "a"), line(other, "b"), line(one, "c"))
        self.write(line(one, "d"))
        assert [(r.seq, r.message) for r in self.lines(one)] == [
            (1, "a"),
            (2, "c"),
            (3, "d"),
        ]
        assert [r.seq for r in self.lines(other)] == [1]

    def test_the_newest_lines_are_in_order(self) -> None:
        id = self.new_id()
        self.write(*[line(id, str(number)) for number in range(1, 8)])
        assert [r.seq for r in self.subject.logs.newest(id, 3)] == [5, 6, 7]
        assert self.subject.logs.newest("nonsense", 3) == []

    def test_lines_of_lost_batches_are_found(self) -> None:
        id = self.new_id()
        self.write(
            line(id, "of 3", batch=3),
            line(id, "of 4", batch=4),
            line(id, "of a task"),
            line(id, "of 5", batch=5),
            line(id, "again", batch=4),
            line(id, "story", batch=STORY),
        )
        assert self.subject.logs.of_batch(id, 4) == ["of 4", "of 5", "again"]
        assert self.subject.logs.of_batch(id, 6) == []
        assert self.subject.logs.of_batch(self.new_id(), 0) == []

    def test_unwritten_lines_are_counted(self) -> None:
        id = self.new_id()
        assert self.subject.logs.unwritten == 0
        self.write(line(id, "a"), line(id, "b"))
        assert self.subject.logs.unwritten == 0

    def test_beyond_the_quota_one_line_says_so(self) -> None:
        id, other = self.new_id(), self.new_id()
        kept = [f"{number} " + "☔" * 300 for number in range(8)]
        self.write(*[line(id, message) for message in kept])
        self.write(*[line(id, "x" * 3_000) for _ in range(5)])
        self.write(line(id, "small"), line(id, "ended", batch=STORY), line(id, "small"))
        self.write(line(other, "another's"))
        *before, marker, story = self.lines(id)
        assert [record.message for record in before] == kept
        assert marker.message == "log quota of 10,000 bytes reached: further lines are not kept"
        assert (marker.level, marker.task, marker.seq) == ("WARNING", None, 9)
        assert (story.message, story.seq) == ("ended", 10)
        assert self.messages(other) == ["another's"]

    def test_the_marker_of_the_quota_is_in_files_too(self) -> None:
        id = self.new_id()
        self.write(*[line(id, "x" * 3_000) for _ in range(5)], line(id, "end", batch=STORY))
        parts = self.subject.logs.parts(id, LogFile())
        text = b"".join(iter(parts.next, None)).decode()
        *kept, marker, end = text.splitlines()
        assert len(kept) == 3
        said = "WARNING log quota of 10,000 bytes reached: further lines are not kept"
        assert marker == f"2026-02-23T16:30:00.000Z {said}"
        assert end == "2026-02-23T16:30:00.000Z INFO [observe] end"
