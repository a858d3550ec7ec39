"""`perdure executions`: one command per file."""

import click

from perdure.cli.connecting import ABOUT, SEE
from perdure.cli.executions.cancel import cancel
from perdure.cli.executions.follow import follow
from perdure.cli.executions.list import list_
from perdure.cli.executions.logs import logs
from perdure.cli.executions.pause import pause
from perdure.cli.executions.resume import resume
from perdure.cli.executions.send import send
from perdure.cli.executions.show import show
from perdure.cli.executions.tasks import tasks


@click.group(epilog=ABOUT)
def executions() -> None:
    """List, look at, follow and control executions on a server."""


for command in (list_, show, logs, tasks, follow, send, cancel, pause, resume):
    command.epilog = SEE
    executions.add_command(command)
