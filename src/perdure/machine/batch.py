"""The recorded form of a batch: one event and the commands that followed it."""

from collections.abc import Sequence

import msgspec

from perdure.machine.commands import AnyCommand
from perdure.machine.events import AnyEvent
from perdure.model.exceptions import DisagreementError

FORMAT_VERSION = 1

JOURNAL_LIMIT_BATCHES = 50_000
JOURNAL_LIMIT_BYTES = 50 * 1024 * 1024


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event and the commands that followed it; `v` is the format version."""

    v: int
    event: AnyEvent
    commands: Sequence[AnyCommand] = ()


class _Version(msgspec.Struct):
    v: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Batch)
_version_decoder = msgspec.json.Decoder(_Version)
_event_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode_batch(event: AnyEvent, commands: Sequence[AnyCommand]) -> bytes:
    """The body of a batch, as the journal has it."""
    return _encoder.encode(Batch(v=FORMAT_VERSION, event=event, commands=commands))


def decode_batch(body: bytes) -> Batch:
    """Read a recorded batch.

    Raises DisagreementError for a body of an unknown format, so that the execution is held.
    """
    try:
        batch = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DisagreementError(_unreadable(body, str(error)), "") from None
    if batch.v > FORMAT_VERSION:
        raise DisagreementError(_unreadable(body, ""), "")
    return batch


def encode_event(event: AnyEvent) -> bytes:
    """The body of an inbox row."""
    return _encoder.encode(event)


def decode_event(body: bytes) -> AnyEvent:
    """Read the body of an inbox row."""
    return _event_decoder.decode(body)


def _unreadable(body: bytes, why: str) -> str:
    try:
        version = _version_decoder.decode(body).v
    except (msgspec.DecodeError, UnicodeDecodeError):
        version = 0
    if version > FORMAT_VERSION:
        return (
            f"a batch has format version {version}, and this perdure reads up to {FORMAT_VERSION}: "
            "serve it with the newer perdure that wrote it"
        )
    return f"a recorded batch cannot be read: {why}"
