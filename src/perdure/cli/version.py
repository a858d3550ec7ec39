"""`perdure version`"""

from importlib.metadata import version as version_of

import click


def installed_version() -> str:
    """The version of the installed package."""
    return version_of("perdure")


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"perdure {installed_version()}")
