"""`perdure completion`"""

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, and the ids of executions and workflows.

    \b
    bash  eval "$(perdure completion bash)" in ~/.bashrc
    zsh   eval "$(perdure completion zsh)" in ~/.zshrc, after compinit
    fish  perdure completion fish > ~/.config/fish/completions/perdure.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "perdure", "_PERDURE_COMPLETE").source())
