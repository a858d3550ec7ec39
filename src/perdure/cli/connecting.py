"""Commands that ask a server: where it is, with which token, and what its refusals look like."""

import functools
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perdure.cli.codes import NOT_REACHABLE, USAGE
from perdure.cli.ids import similar_ids
from perdure.cli.mistakes import tell, told
from perdure.model.exceptions import PerdureError, UsageError

if TYPE_CHECKING:
    from perdure.client import ApiError, Client

PATIENCE = "3s"
"""How long a command tries to reach its server."""
LONG_PATIENCE = "60s"
"""How long a command that follows an execution bears with a server that is being restarted."""

SEE = "Variables and exit codes: perdure executions --help"
ABOUT = """\b
Environment:
  PERDURE_URL    the server  [default: http://127.0.0.1:8000]
  PERDURE_TOKEN  a key of it; a command line would show it to everyone on the machine. For a
                 server on this machine, without it: PERDURE_ADMIN_KEY, or the file admin.key in
                 the data folder (PERDURE_DATA, perdure.toml, else ./perdure-data).

\b
Exit codes:
  0  done; the execution completed, where its end was waited for
  1  the execution failed
  2  asked wrongly: options, inputs, ids, the token
  3  the execution was cancelled
  4  the server does not answer, is too busy, or has a fault
"""

Work = Callable[["Client"], Coroutine[Any, Any, None]]


class Server:
    """The server that a command asks."""

    def __init__(self, url: str | None, token_file: str | None) -> None:
        self._url = url
        self._token_file = token_file

    def ask(self, work: Work, *, about: str = "") -> None:
        """Do `work` with a client; errors end the command in lines, and with their exit codes.

        `about` is the id of what it is about: where there is none such, similar ones are named.
        """
        import asyncio

        with told(), _refusals_told():
            asyncio.run(self._with_client(work, about))

    def try_to_ask(self, work: Work) -> None:
        """Do `work` with a client that does not wait long; what goes wrong is passed over."""
        import asyncio

        from perdure.client import Client

        async def tried() -> None:
            async with Client(self._url, self._token(), retry_for="0s", timeout="2s") as client:
                await work(client)

        with suppress(PerdureError, OSError):
            asyncio.run(tried())

    async def _with_client(self, work: Work, about: str) -> None:
        from perdure.client import Client, NotFoundError

        async with Client(self._url, self._token(), retry_for=PATIENCE) as client:
            try:
                await work(client)
            except NotFoundError as error:
                similar = await similar_ids(client, error.code, about)
                hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
                tell(error.detail + hint)
                sys.exit(USAGE)

    def _token(self) -> str | None:
        if self._token_file is not None:
            return _in_file(self._token_file)
        if os.environ.get("PERDURE_TOKEN"):
            return None
        return _key_of_this_machine(self._url)


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which server; it is passed it as `server`."""

    @click.option("--url", metavar="URL", help="The server.  [default: PERDURE_URL]")
    @click.option(
        "--token-file", metavar="FILE", help="A file with a key.  [default: PERDURE_TOKEN]"
    )
    @functools.wraps(command)
    def asking(*args: Any, url: str | None, token_file: str | None, **options: Any) -> None:
        command(*args, server=Server(url, token_file), **options)

    return asking


def as_json(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option `--json`, passed as `json`."""
    text = "Print JSON, for programs: one document, or one a line where there may be several."
    return click.option("--json", is_flag=True, help=text)(command)


def _in_file(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except OSError as error:
        raise UsageError(f"--token-file {file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--token-file {file}: holds no key") from None


def _key_of_this_machine(url: str | None) -> str | None:
    """The key of the server whose data is here; for no other server than one on this machine."""
    from perdure.client.address import is_loopback, server_url

    if not is_loopback(server_url(url, os.environ)):
        return None
    from perdure.bootstrap.admin_key import FILE_NAME
    from perdure.bootstrap.settings import SettingsError, read_settings

    if os.environ.get("PERDURE_ADMIN_KEY"):
        return os.environ["PERDURE_ADMIN_KEY"]
    with suppress(SettingsError, OSError, UnicodeDecodeError):
        data = read_settings({}, os.environ, Path.cwd()).data
        return (data / FILE_NAME).read_text(encoding="ascii").strip() or None
    return None


@contextmanager
def _refusals_told() -> Iterator[None]:
    from perdure.client import (
        ApiError,
        NotReachableError,
        RefusedInputError,
        UnauthorizedError,
        UnavailableError,
        UnexpectedAnswerError,
    )

    try:
        yield
    except UnicodeEncodeError as error:
        tell(f"{error.object!r} cannot be sent: it is no UTF-8 text")
        sys.exit(USAGE)
    except UnauthorizedError as error:
        tell(f"{error.detail}: set PERDURE_TOKEN to a key of the server, or give --token-file")
        sys.exit(USAGE)
    except RefusedInputError as error:
        _tell(error)
        sys.exit(USAGE)
    except NotReachableError as error:
        tell(f"{error}; is it running? PERDURE_URL or --url say where it is")
        sys.exit(NOT_REACHABLE)
    except UnexpectedAnswerError as error:
        tell(f"{error}; PERDURE_URL or --url say where it is")
        sys.exit(NOT_REACHABLE)
    except UnavailableError as error:
        later = "" if error.retry_after_s is None else f" in {error.retry_after_s:.0f} s"
        tell(f"{error.detail}: try again{later or ' later'}")
        sys.exit(NOT_REACHABLE)
    except ApiError as error:
        _tell(error)
        sys.exit(NOT_REACHABLE if error.status >= 500 else USAGE)


def _tell(error: "ApiError") -> None:
    tell(error.detail, ((each.location, each.message) for each in error.errors))
