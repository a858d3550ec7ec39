"""jq programs: an expression with its arguments, compiled once, and evaluated in this process.

jq binds arguments when it compiles. Here they are part of the input instead: the program takes
an array, ``[value, argument, …]``, and binds each to its variable. It gives JSON texts, as jq's
own `tojson` writes them: so integers stay exact where jq keeps them.

Whoever calls `run` answers for how long that takes: it holds the interpreter until it is done.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jq
import msgspec

NOW = "__perdure_now"
"""The argument with the time of `now`, in seconds."""

_DEFINED: dict[str, str] = {
    "env/0": "def env: {}; ",
    "now/0": f"def now: ${NOW}; ",
    "localtime/0": "def localtime: gmtime; ",
    "strflocaltime/1": "def strflocaltime(f): strftime(f); ",
}
"""What jq would take from its surroundings, as it is defined here."""

_TEXT_TIMES = "a text is repeated, which is not done here"
GUARD = (
    "def __perdure_times(f; g): f * g; "
    "def _multiply(f; g): g as $g | f as $f | "
    'if ($f | type) == "string" or ($g | type) == "string" '
    f'then error("{_TEXT_TIMES}") else __perdure_times($f; $g) end; '
)
"""What jq makes of ``*``, but for texts, which it would repeat at the bidding of data."""

KEPT_PROGRAMS = 1_000
"""How many compiled programs a process keeps."""


class ProgramError(Exception):
    """A program does not compile, fails, or does not give one value; the text is for people."""


class GuardedError(ProgramError):
    """A program with GUARD has met what it guards against."""


def text(
    expression: str, names: Sequence[str], functions: frozenset[str], *, guarded: bool = False
) -> str:
    """The program for an expression without comments, whose arguments come in this order."""
    bindings = "".join(f".[{index}] as ${name} | " for index, name in enumerate(names, 1))
    definitions = "".join(text for name, text in _DEFINED.items() if name in functions)
    if guarded:
        definitions += GUARD
    return f"{{}} as $ENV | {bindings}.[0] | {definitions}({expression}\n) | tojson"


def run(program: str, input: bytes) -> Any:
    """Evaluate a program on its input (JSON); the one value that it gives. Raises ProgramError."""
    return decoded(run_to_text(program, input))


def run_to_text(program: str, input: bytes) -> str:
    """The one value that a program gives, as JSON. Raises ProgramError."""
    try:
        compiled = _compiled(program)
    except ValueError as error:
        raise ProgramError(str(error)) from None
    outputs = iter(compiled.input_text(input.decode()))
    try:
        output: str | None = next(outputs, None)
        others = next(outputs, None)
    except ValueError as error:
        if str(error) == _TEXT_TIMES:
            raise GuardedError(str(error)) from None
        raise ProgramError(str(error)) from None
    finally:
        # The frame lives on in the error's traceback, and if that is in a cycle, the collector
        # frees the iterator after what it points to, which ends the process (jq.py 1.13).
        del outputs
    if output is None:
        raise ProgramError("it gave no value")
    if others is not None:
        raise ProgramError("it gave more than one value: wrap it in [ ] to have all of them")
    return output


def decoded(output: str) -> Any:
    """What a program has given, as a value. Raises ProgramError."""
    try:
        return _decode(output)
    except RecursionError:
        raise ProgramError("its value is nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise ProgramError(f"its value is no JSON: {error}") from None


_decode = msgspec.json.Decoder().decode


@lru_cache(KEPT_PROGRAMS)
def _compiled(program: str) -> Any:
    return jq.compile(program)
