"""`perdure run`"""

import os
import sys
from pathlib import Path

import click

from perdure.cli.codes import CANCELLED, FAILED
from perdure.cli.mistakes import told


@click.command()
@click.argument("file", metavar="FILE")
@click.argument("workflow_id", metavar="[WORKFLOW_ID]", required=False)
@click.option(
    "--input",
    "pairs",
    metavar="NAME=VALUE",
    multiple=True,
    help="An input; what is JSON is taken as JSON, the rest as text. Repeatable.",
)
@click.option(
    "--inputs", "inputs_file", metavar="FILE", help="A JSON object of inputs; - is stdin."
)
def run(
    file: str, workflow_id: str | None, pairs: tuple[str, ...], inputs_file: str | None
) -> None:
    """Run one workflow of FILE, and print its result as JSON.

    Progress and logs go to stderr. Exits with 0 if it completed, 1 if it failed, 2 if the
    command was used wrongly, 3 if it was cancelled.
    """
    with told():
        from perdure.cli.inputs import gathered

        inputs = gathered(inputs_file, pairs)

        from perdure.bootstrap.foreground import run_foreground
        from perdure.bootstrap.settings import read_settings
        from perdure.cli.people import console
        from perdure.cli.progress import Progress
        from perdure.model.status import Status

        settings = read_settings({}, os.environ, Path.cwd())
        progress = Progress(console(stderr=True))
        with progress.showing():
            execution = run_foreground(file, workflow_id, inputs, progress, settings.egress_allow)
        progress.ended(execution)
        status = execution.head.status
        if status is Status.COMPLETED:
            click.echo(bytes(execution.result) if execution.result is not None else b"null")
            return
        sys.exit(CANCELLED if status is Status.CANCELLED else FAILED)
