"""An expression of a document: compiled once, evaluated with a value and arguments."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Protocol

import msgspec

from perdure.machine import program as machine
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.exceptions import EvaluationFailedError
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import direct, parts, programs, sites
from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.bounds import guarded, here
from perdure.openworkflow.expressions.lexing import failed
from perdure.openworkflow.expressions.names import mentioned
from perdure.openworkflow.expressions.outside import encode_arguments
from perdure.openworkflow.expressions.parsing import parse

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


class Stretch(Protocol):
    """What a program does in one step; `work` counts in the units of a task's visit."""

    work: int


class Expression:
    """A compiled expression. Values are JSON's, and shared: nobody changes them in place."""

    __slots__ = (
        "_arguments",
        "_direct",
        "_here",
        "_names",
        "_program",
        "_reads",
        "bounded",
        "source",
        "variables",
    )

    def __init__(self, source: str, available: Collection[str]) -> None:
        self.source = source
        lexed, node = parse(source)
        names = mentioned(source, node)
        _check_available(source, node, names.variables, available)
        self.variables = names.variables
        """The arguments that it mentions, without ``$``."""
        self._here = here(node)
        self.bounded = self._here.largest_input > 0
        """Whether it can be evaluated in this process, where what it works on is not too large."""
        clock = (programs.NOW,) if "now/0" in names.functions else ()
        self._names = (*sorted(names.variables), *clock)
        self._program = programs.text(
            lexed.without_comments, self._names, names.functions, guarded=guarded(node)
        )
        self._direct = direct.compile(node)
        self._reads = parts.of_value(node)
        read = parts.of_arguments(node)
        self._arguments = [(name, read.get(name)) for name in self._names]

    async def evaluate(
        self, value: Any, arguments: Mapping[str, Any], stretch: Stretch | None = None
    ) -> Any:
        """The value of the expression, for a program that a machine steps.

        What takes long is added to the work of the `stretch`, so that steps stay short. Raises
        WorkflowError with a failure of the specification's type `expression`.
        """
        if self._direct is not None:
            try:
                return self._direct(value, arguments)
            except direct.UnsureError:
                pass
        input = self._input(value, arguments)
        if len(input) <= self._here.largest_input:
            if stretch is not None:
                stretch.work += int(len(input) * self._here.work_per_byte)
            try:
                return self._run(input)
            except programs.GuardedError:
                pass
        return await self._evaluate_outside(input)

    def evaluate_here(self, value: Any, arguments: Mapping[str, Any]) -> Any:
        """The value of a bounded expression, also outside of machines.

        Raises WorkflowError, also where that cannot be done in this process.
        """
        if self._direct is not None:
            try:
                return self._direct(value, arguments)
            except direct.UnsureError:
                pass
        input = self._input(value, arguments)
        if len(input) > self._here.largest_input:
            raise self._failed(
                f"it cannot be evaluated here, with a value and arguments of {len(input):,} bytes "
                f"together ({self._here.largest_input:,} are possible)"
            )
        try:
            return self._run(input)
        except programs.GuardedError as error:
            raise self._failed(str(error)) from None

    def _run(self, input: bytes) -> Any:
        try:
            return programs.run(self._program, input)
        except programs.GuardedError:
            raise
        except programs.ProgramError as error:
            raise self._failed(str(error)) from None

    async def _evaluate_outside(self, input: bytes) -> Any:
        """Have it evaluated by the command `Evaluate`."""
        if len(input) > VALUE_LIMIT_BYTES:
            raise self._failed(
                f"its value and arguments have {len(input):,} bytes together, and an expression "
                f"of this kind may have {VALUE_LIMIT_BYTES:,}"
            )
        try:
            output = await machine.evaluate(self.source, encode_arguments(self._names, input))
        except EvaluationFailedError as error:
            raise WorkflowError(error.failure) from None
        return decode(output)

    def _input(self, value: Any, arguments: Mapping[str, Any]) -> bytes:
        """What its program takes, as JSON."""
        given = [parts.taken(value, self._reads)]
        for name, read in self._arguments:
            if name == programs.NOW:
                given.append(machine.machine().time / 1_000)
            else:
                given.append(parts.taken(arguments[name], read))
        return _encode(given)

    def _failed(self, reason: str) -> WorkflowError:
        if self.variables & sites.SECRET:
            reason = "it failed (what it works on is secret, and so is why)"
        return WorkflowError(failures.expression(f"`{self.source}`: {reason}"))


def compile(source: str, available: Collection[str]) -> Expression:
    """Compile jq that stands in a document, without ``${ }``.

    `available` are the arguments that there are, without ``$``. Raises ExpressionError where it
    does not compile, mentions others, or uses functions that are refused.
    """
    return Expression(source.strip(), available)


def _check_available(
    source: str, node: s.Node, variables: frozenset[str], available: Collection[str]
) -> None:
    missing = variables.difference(available)
    if not missing:
        return
    for part in s.walk(node):
        if isinstance(part, s.Variable) and part.name in missing:
            raise failed(source, part.at, _unavailable(part.name, available))


def _unavailable(name: str, available: Collection[str]) -> str:
    if name in sites.SECRET:
        return f"${name} can be used only in what a call sends, since it is recorded nowhere"
    has = ", ".join(f"${one}" for one in sorted(available)) or "no arguments"
    if name in sites.ARGUMENTS:
        return f"there is no ${name} here, but {has}"
    near = get_close_matches(name, available, 1)
    return f"there is no ${name}: did you mean ${near[0]}?" if near else f"no ${name}, but {has}"
