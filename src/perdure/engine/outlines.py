"""Batches without their values: all that a story is told from, read in a fraction of the time."""

import msgspec


class OutlinedCarried(msgspec.Struct, frozen=True, gc=False):
    """An event that was received before its generation."""

    name: str = ""


class OutlinedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event of any kind: see `machine.events`."""

    kind: str = ""
    time: int = 0
    position: str = ""
    attempt: int = 1
    name: str = ""
    carried: tuple[OutlinedCarried, ...] = ()


class OutlinedCommand(msgspec.Struct, frozen=True, gc=False):
    """A command of any kind: see `machine.commands`."""

    kind: str = ""
    position: str = ""
    name: str = ""
    attempt: int = 1
    workflow_id: str = ""
    wait: bool = True
    due_ms: int = 0
    purpose: str = "sleep"


class Outline(msgspec.Struct, frozen=True, gc=False):
    """One event and the commands that followed it."""

    event: OutlinedEvent = OutlinedEvent()
    commands: tuple[OutlinedCommand, ...] = ()


_decoder = msgspec.json.Decoder(Outline)
_event_decoder = msgspec.json.Decoder(OutlinedEvent)


def outline(body: bytes) -> Outline:
    """What a recorded batch tells; nothing, where it cannot be read.

    Replay holds an execution with such a batch; who looks at it is shown the rest.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Outline()


def outline_event(body: bytes) -> OutlinedEvent:
    """What a row of an inbox tells; nothing, where it cannot be read."""
    try:
        return _event_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return OutlinedEvent()
