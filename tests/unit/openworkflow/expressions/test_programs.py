"""What jq gives, and how it is let go."""

import gc
import subprocess
import sys

import pytest

from perdure.openworkflow.expressions import programs

_IN_A_CYCLE = """
import gc
from perdure.openworkflow.expressions import programs

def fails():
    try:
        programs.run(programs.text(".n + 1", [], frozenset()), b'[{"n": "x"}]')
    except programs.ProgramError as error:
        kept = error  # with its traceback, whose frame is this one: a cycle
    kept.frames = kept.__traceback__

for _ in range(3):
    fails()
    gc.collect()
print("alive")
"""


def test_an_error_in_a_cycle_does_not_end_the_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _IN_A_CYCLE], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr


@pytest.mark.parametrize(
    ("expression", "problem"),
    [("empty", "no value"), (".[]", "more than one value"), (".a", "Cannot index")],
)
def test_anything_but_one_value_is_an_error(expression: str, problem: str) -> None:
    with pytest.raises(programs.ProgramError, match=problem):
        programs.run(programs.text(expression, [], frozenset()), b"[[1, 2]]")

    gc.collect()
