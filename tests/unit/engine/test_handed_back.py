from collections.abc import Sequence
from typing import cast

from perdure.engine.handed_back import HandedBack
from perdure.link.messages import Outcomes
from perdure.ports.logs import Logs, NewLogRecord

ID = "exec-374bao9k00000"


def line(message: str) -> NewLogRecord:
    return NewLogRecord(ID, 5, "INFO", "task", message)


A, B, C = line("a"), line("b"), line("c")


class Written:
    """A log that notes what is written; some writes fail."""

    def __init__(self, *failing: int) -> None:
        self.lines: list[Sequence[NewLogRecord]] = []
        self.failing = set(failing)

    def write(self, records: Sequence[NewLogRecord]) -> int:
        self.lines.append(records)
        return 10 + len(self.lines)

    def failed(self, ticket: int) -> bool:
        return ticket in self.failing


def handed_back(*lines: NewLogRecord) -> Outcomes:
    return Outcomes(ID, 0, [b"{}"], lines)


def ticket(back: HandedBack, log: Written) -> int:
    return back.ticket(cast(Logs, log))


def test_lines_that_came_with_an_append_are_not_written_again() -> None:
    log, back = Written(), HandedBack(handed_back(A, B), [(3, [A, B, C]), (4, [C])])
    assert (ticket(back, log), log.lines) == (3, [])


def test_the_others_are_written_once() -> None:
    log, back = Written(), HandedBack(handed_back(A, B), [(3, [A])])
    assert [ticket(back, log), ticket(back, log)] == [11, 11]
    assert log.lines == [[B]]


def test_what_has_failed_is_written_again_and_nothing_else() -> None:
    log, back = Written(3), HandedBack(handed_back(A, B, C), [(3, [A]), (4, [B])])
    assert ticket(back, log) == 12
    assert log.lines == [[A], [C]]
    log.failing = {12}
    assert ticket(back, log) == 13
    assert log.lines == [[A], [C], [C]]


def test_without_lines_there_is_nothing_to_wait_for() -> None:
    log = Written()
    assert ticket(HandedBack(handed_back(), [(3, [A])]), log) == 0
