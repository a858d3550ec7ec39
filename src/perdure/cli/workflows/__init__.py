"""`perdure workflows`: one command per file."""

import click

from perdure.cli.connecting import ABOUT, SEE
from perdure.cli.workflows.execute import execute
from perdure.cli.workflows.list import list_
from perdure.cli.workflows.show import show


@click.group(epilog=ABOUT)
def workflows() -> None:
    """List, look at and execute the workflows of a server."""


for command in (list_, show, execute):
    command.epilog = SEE
    workflows.add_command(command)
