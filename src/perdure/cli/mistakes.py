"""Mistakes of the user: said in lines that name what, where and what to do, without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from perdure.model.exceptions import PerdureError

USAGE = 2
"""The exit code for what was asked wrongly."""
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


@contextmanager
def told() -> Iterator[None]:
    """End the command with a line for each problem where what is asked cannot be done."""
    from perdure.ports.runtime import RefusedError

    try:
        yield
    except PerdureError as error:
        for line in str(error).splitlines() or [type(error).__name__]:
            click.echo(f"perdure: {line}", err=True)
        if isinstance(error, RefusedError):
            for problem in error.problems:
                click.echo(f"  {problem.location or '/'}: {problem.message}", err=True)
        sys.exit(USAGE)
    except OSError as error:
        click.echo(f"perdure: {error}", err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
