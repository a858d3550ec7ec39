import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.worker.marks import SLOT_BYTES, Mark, Marks, pack


@pytest.fixture
def marks() -> Marks:
    return Marks.create(4)


def test_nothing_is_marked_at_first(marks: Marks) -> None:
    assert marks.read() == []


def test_marks_are_read_in_the_order_of_their_slots(marks: Marks) -> None:
    marks.slot(2).set(pack("exec-2", "/b", 3, 12.5))
    marks.slot(0).set(pack("exec-1"))
    assert marks.read() == [Mark("exec-1", "", 0, 0.0), Mark("exec-2", "/b", 3, 12.5)]


def test_a_slot_is_emptied(marks: Marks) -> None:
    slot = marks.slot(1)
    slot.set(pack("exec-1", "/long/position", 1))
    slot.clear()
    assert marks.read() == []
    slot.set(pack("exec-2", "/b", 1))
    assert [mark.position for mark in marks.read()] == ["/b"]


@given(st.text(min_size=1, max_size=40), st.text(max_size=2_000), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(execution_id: str, position: str, attempt: int) -> None:
    marks = Marks.create(1)
    packed = pack(execution_id, position, attempt, 1.0)
    assert len(packed) <= SLOT_BYTES
    marks.slot(0).set(packed)
    (mark,) = marks.read()
    assert (mark.execution_id, mark.attempt) == (execution_id[:128], attempt)
    assert position.startswith(mark.position)
    assert mark.position == position or len(packed) > SLOT_BYTES - 8
    marks.close()


@given(st.binary(min_size=1, max_size=60), st.integers(0, 59))
def test_a_torn_mark_reads_as_none(noise: bytes, start: int) -> None:
    marks = Marks.create(1)
    whole = pack("exec-1", "/a/rather/long/position", 1, 5.0)
    torn = whole[:start] + noise + whole[start + len(noise) :]
    marks.slot(0).set(torn[: len(whole)])
    found = marks.read()
    assert found == [] or found == [Mark("exec-1", "/a/rather/long/position", 1, 5.0)]
    marks.close()


def test_a_mark_half_written_over_another_reads_as_none(marks: Marks) -> None:
    before, after = pack("exec-1", "/aaaa", 1), pack("exec-2", "/bbbb", 2)
    for cut in range(1, len(after)):
        marks.slot(0).set(after[:cut] + before[cut:])
        assert all(mark.position in ("/aaaa", "/bbbb") for mark in marks.read())


def test_another_process_reads_what_is_marked_and_what_a_dead_one_left(marks: Marks) -> None:
    script = (
        "import sys\n"
        "from perdure.worker.marks import Marks, pack\n"
        "marks = Marks.attach(int(sys.argv[1]))\n"
        "assert marks.read()[0].execution_id == 'exec-1'\n"
        "marks.slot(1).set(pack('exec-2', '/there', 1))\n"
        "import os; os.kill(os.getpid(), 9)\n"
    )
    marks.slot(0).set(pack("exec-1"))
    ended = subprocess.run(
        [sys.executable, "-c", script, str(marks.fd)], pass_fds=(marks.fd,), check=False
    )
    assert ended.returncode == -9
    assert [mark.execution_id for mark in marks.read()] == ["exec-1", "exec-2"]
    assert os.fstat(marks.fd).st_size == 4 * SLOT_BYTES
