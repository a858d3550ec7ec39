"""Mistakes of the user: said in lines that name what, where and what to do, without a traceback."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import click

from perdure.cli.codes import BROKEN_PIPE, INTERRUPTED, USAGE
from perdure.cli.printing import printable
from perdure.model.exceptions import PerdureError


@contextmanager
def told() -> Iterator[None]:
    """End the command with a line for each problem where what is asked cannot be done."""
    from perdure.ports.runtime import RefusedError

    try:
        yield
    except PerdureError as error:
        problems = error.problems if isinstance(error, RefusedError) else ()
        tell(
            str(error) or type(error).__name__, ((each.location, each.message) for each in problems)
        )
        sys.exit(USAGE)
    except BrokenPipeError:
        leave_quietly()
    except OSError as error:
        tell(str(error))
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def tell(said: str, problems: Iterable[tuple[str, str]] = ()) -> None:
    """Say what is wrong, and each problem of it with its place."""
    for line in said.splitlines():
        click.echo(f"perdure: {printable(line)}", err=True)
    for location, message in problems:
        click.echo(f"  {printable(location or '/')}: {printable(message)}", err=True)


def leave_quietly() -> None:
    """End the command because nobody reads its output any more, as `| head` does."""
    # What is still in the buffer would fail once more, and loudly, when the interpreter ends.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    sys.exit(BROKEN_PIPE)
