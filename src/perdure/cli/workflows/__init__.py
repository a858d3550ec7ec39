"""`perdure workflows`: one command per file."""

import click

from perdure.cli.connecting import ABOUT, SEE
from perdure.cli.workflows.execute import execute
from perdure.cli.workflows.list import list_
from perdure.cli.workflows.register import register
from perdure.cli.workflows.show import show


@click.group(epilog=ABOUT)
def workflows() -> None:
    """List, look at, register and execute the workflows of a server."""


for command in (list_, show, register, execute):
    command.epilog = SEE
    workflows.add_command(command)
