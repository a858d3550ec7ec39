"""Expressions that are evaluated in a process of their own: what they are asked with there.

The command `Evaluate` carries the expression as it stands in the document, and in its arguments
the names of those that it mentions with the input of its program (see `programs`).
"""

from functools import lru_cache

import msgspec

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import programs
from perdure.openworkflow.expressions.names import mentioned
from perdure.openworkflow.expressions.parsing import parse


class Arguments(msgspec.Struct, frozen=True):
    """What an expression is evaluated with: the names in the order of the input, which is
    ``[value, argument, …]``."""

    names: tuple[str, ...]
    input: msgspec.Raw


_decode = msgspec.json.Decoder(Arguments).decode
_encode = msgspec.json.Encoder().encode


def encode_arguments(names: tuple[str, ...], input: bytes) -> bytes:
    """The arguments of an `Evaluate`."""
    return _encode(Arguments(names, msgspec.Raw(input)))


def evaluate(expression: str, arguments: bytes) -> str:
    """The value of an expression, as JSON. Raises ProgramError.

    It may take any time and memory, and may bring its process down.
    """
    given = _decode(arguments)
    return programs.run_to_text(_program(expression, given.names), bytes(given.input))


@lru_cache(programs.KEPT_PROGRAMS)
def _program(expression: str, names: tuple[str, ...]) -> str:
    try:
        lexed, node = parse(expression)
        functions = mentioned(expression, node).functions
    except ExpressionError as error:
        raise programs.ProgramError(str(error)) from None
    return programs.text(lexed.without_comments, names, functions)
