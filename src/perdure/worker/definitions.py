"""Registered definitions in this worker: those that the engine has sent, and checks of others.

The engine says which definitions are here (`Define`, `Forget`), so that it knows what a `Load` may
name. One is compiled when an execution first needs it, as a step of that execution: should that
bring the worker down, it is known by whose definition.
"""

from collections.abc import Callable

from perdure.link import messages as m
from perdure.worker.programs import Compile, Definition, Validation, Validator


class Defined:
    """The definitions that the engine has sent, by digest."""

    def __init__(self, compile_document: Compile) -> None:
        self._compile = compile_document
        self._bodies: dict[str, bytes] = {}
        self._compiled: dict[str, Definition] = {}

    def define(self, message: m.Define) -> None:
        """Keep a definition."""
        self._bodies[message.digest] = message.body

    def forget(self, message: m.Forget) -> None:
        """Let go of a definition; executions that are here keep theirs."""
        self._bodies.pop(message.digest, None)
        self._compiled.pop(message.digest, None)

    def find(self, digest: str) -> Definition:
        """A definition, compiled. Raises KeyError where it was not sent, or what compiling raises.

        Its body is needed no more then.
        """
        found = self._compiled.get(digest)
        if found is None:
            found = self._compiled[digest] = self._compile(self._bodies[digest])
            self._bodies[digest] = b""
        return found


class Checking:
    """Answers `Validate`: one document at a time, in the order in which they came."""

    def __init__(self, validator: Validator, send: Callable[[m.ToEngine], None]) -> None:
        self._validator = validator
        self._send = send

    def check(self, message: m.Validate) -> None:
        """Have a document validated, and say what came of it."""

        def done(found: Validation) -> None:
            self._send(
                m.Validated(message.number, found.problems, found.served, found.body, found.failed)
            )

        self._validator.validate(message.source, done)


def compile_nothing(body: bytes) -> Definition:
    """Stands where no front end for documents is installed. Raises LookupError."""
    raise LookupError("no front end for documents is installed")


class NoValidator:
    """Stands where no front end for documents is installed: every validation fails."""

    def validate(self, source: bytes, done: Callable[[Validation], None]) -> None:
        """Fail."""
        done(Validation(failed="no front end for documents is installed"))
