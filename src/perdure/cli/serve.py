"""`perdure serve`"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from perdure.cli.mistakes import told


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--workers", metavar="N", help="Worker processes.  [default: 1]")
@click.option(
    "--reload", is_flag=True, default=None, help="Take edits up while serving; for development."
)
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", metavar="PORT", help="Port to listen on.  [default: 8000]")
@click.option("--data", metavar="DIR", help="Folder of the data.  [default: perdure-data]")
@click.option(
    "--no-auth", is_flag=True, default=None, help="Ask for no key; on a loopback address only."
)
def serve(paths: tuple[str, ...], **flags: Any) -> None:
    """Serve what the PATHs hold: Python modules, YAML or JSON documents, and folders of them.

    Settings come from these flags, from PERDURE_* variables and from perdure.toml in the current
    folder, in that order.
    """
    with told():
        from perdure.bootstrap.settings import read_settings

        settings = read_settings({"paths": paths or None, **flags}, os.environ, Path.cwd())

        from perdure.bootstrap.server import serve as serve_until_stopped

        sys.exit(serve_until_stopped(settings, click.echo))
