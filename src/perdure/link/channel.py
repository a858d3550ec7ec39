"""A connection between engine and worker: messages in, messages out, in order.

Sending never waits. What is sent during one turn of the loop goes out together, in few frames.
A channel that is closed, from either side, says so once and drops what is sent to it.
"""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

In_contra = TypeVar("In_contra", contravariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True)


class Receiver(Protocol, Generic[In_contra]):
    """One side's ears."""

    def received(self, messages: Sequence[In_contra]) -> None:
        """Messages came, in the order in which they were sent."""
        ...

    def closed(self, reason: str) -> None:
        """The other side is gone; nothing comes any more."""
        ...


class Channel(Protocol, Generic[Out_contra]):
    """One side's mouth."""

    def send(self, message: Out_contra) -> None:
        """Send a message with the next frame."""
        ...

    def close(self) -> None:
        """Send what is left and close."""
        ...
