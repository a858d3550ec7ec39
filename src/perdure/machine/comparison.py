"""What a replay compares (docs/journal.md, section 5)."""

from collections.abc import Sequence

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model.exceptions import DisagreementError
from perdure.model.position import instance


def described(item: c.AnyCommand | e.AnyEvent) -> str:
    """A command or an event as errors name it."""
    where = f" at {instance(item.position)}" if item.position else ""
    name = item.label if isinstance(item, c.Command) else ""
    return f"{type(item).__name__}{f' {name}' if name else ''}{where}"


def compare(recorded: Sequence[c.AnyCommand], asked: Sequence[c.AnyCommand]) -> None:
    """Raise DisagreementError where a program asks for something else than the record has."""
    for before, now in zip(recorded, asked, strict=False):
        if type(before) is not type(now) or before.position != now.position:
            fits = False
        else:
            fits = before.label == now.label
        if not fits:
            raise DisagreementError(
                f"the record has {described(before)}, the code asks for {described(now)}",
                before.position,
            )
    if len(recorded) > len(asked):
        missing = recorded[len(asked)]
        raise DisagreementError(
            f"the record has {described(missing)}, which the code does not ask for",
            missing.position,
        )
    if len(asked) > len(recorded):
        extra = asked[len(recorded)]
        raise DisagreementError(
            f"the code asks for {described(extra)}, which the record does not have",
            extra.position,
        )
