"""What is under way for a hosted execution: events that wait, batches that are being written."""

from collections.abc import Sequence

import msgspec

from perdure.machine import events as e
from perdure.machine.batch import decode_event
from perdure.model.exceptions import DisagreementError
from perdure.worker.consequences import Consequences, Effect
from perdure.worker.outcomes import Ended


class Arrival:
    """An event that is not yet delivered: a row of the inbox, or an outcome of an attempt here."""

    __slots__ = ("ended", "event", "inbox_seq")

    def __init__(
        self, event: e.AnyEvent | None, inbox_seq: int = 0, ended: Ended | None = None
    ) -> None:
        self.event = event
        """None where it has become void."""
        self.inbox_seq = inbox_seq
        self.ended = ended


class InFlight:
    """A batch that was sent and is not committed."""

    __slots__ = ("continues", "effects", "ended", "ends", "inbox_seen", "seq")

    def __init__(
        self, seq: int, inbox_seen: int, consequences: Consequences, ended: Ended | None
    ) -> None:
        self.seq = seq
        self.inbox_seen = inbox_seen
        self.effects: Sequence[Effect] = consequences.effects
        self.continues = consequences.continues
        self.ends = consequences.end is not None
        self.ended = ended


def decoded(event: bytes) -> e.AnyEvent:
    """The event in a row of the inbox. Raises DisagreementError where it cannot be read."""
    try:
        return decode_event(event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DisagreementError(f"a row of the inbox cannot be read: {error}", "") from None
