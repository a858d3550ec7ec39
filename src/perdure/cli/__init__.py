"""The command line: one command per file.

What a command is asked for goes to stdout, what it tells on the way to stderr. A mistake of the
user ends in one line per problem, never in a traceback. Exit codes are in `codes`. Commands import
what they need when they run, so that --help is quick.
"""

import click

from perdure.cli.completion import completion
from perdure.cli.executions import executions
from perdure.cli.run import run
from perdure.cli.serve import serve
from perdure.cli.validate import validate
from perdure.cli.version import installed_version, version
from perdure.cli.workflows import workflows


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(installed_version(), message="%(prog)s %(version)s", prog_name="perdure")
def main() -> None:
    """Runs workflows behind an HTTP API, and never loses one."""


main.add_command(serve)
main.add_command(run)
main.add_command(validate)
main.add_command(workflows)
main.add_command(executions)
main.add_command(completion)
main.add_command(version)
